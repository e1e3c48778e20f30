"""The tests of torch, with the oldest that the extra allows and the newest.

On Python 3.11 and 3.13, each pair in an environment of its own with the built wheel: its files,
and no other of handgrad's, are tested. All else is the newest there is; the wheel's own lower
bounds are tried by test_wheels.py. `python -m tests.release.torch_versions` takes minutes a pair,
and some 7 GB while one is tried, since the torch that an index has for Linux comes with CUDA.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import click

from tests.documents.newcomer import run
from tests.release.installing import EXTRAS, ROOT, at, built, environment, python, requirements

PYTHONS, VERSIONS = ("3.11", "3.13"), ("oldest", "newest")

#: What the tests are made of; the judge itself is the installed one.
ROOMS = ("tests", "models", "manual", "docs", "conftest.py", "pyproject.toml")

#: What is in an environment, by which code: cells of the table, and where the judge comes from.
ASK = """
import sys
from importlib.metadata import version
import handgrad
found = sys.version.split()[0], *map(version, ("torch", "jax", "numpy"))
print(" | ".join(found), handgrad.__file__, sep="\\n")
"""


def tried(version: str, versions: str, wheel: Path) -> tuple[str, str, int]:
    """Install the wheel and a torch for one Python, and run the tests of torch against them.

    Returns the versions that were found, what the tests said, and their exit code.
    """
    interpreter = python(version)
    assert interpreter, f"no Python {version} on this machine that can make environments"
    with tempfile.TemporaryDirectory() as folder:
        packages = [*(at(versions, line) for line in EXTRAS["torch"]), wheel]
        packages += requirements("newest", "test")
        # The newest is that of the index, whatever this machine's constraints hold it down to.
        options = {"PIP_CONSTRAINT": "", "PIP_NO_CACHE_DIR": "1"}
        programs = environment(Path(folder, "env"), interpreter, *packages, **options)
        here = Path(folder, "here")
        here.mkdir()
        for room in ROOMS:
            if (ROOT / room).is_dir():
                ignored = shutil.ignore_patterns("__pycache__", ".*")
                shutil.copytree(ROOT / room, here / room, ignore=ignored)
            else:
                shutil.copy(ROOT / room, here / room)
        code, said = run(here, programs / "python", "-c", ASK)
        assert code == 0, said
        found, origin = said.split("\n")[:2]
        assert Path(origin).is_relative_to(programs.parent), f"not the wheel's: {origin}"
        words = ["-q", "-n", "auto", "-m", "slow or not slow", "-p", "no:cacheprovider"]
        test = [programs / "python", "-m", "pytest", *words, "tests/handgrad/torch"]
        code, said = run(here, *test, HANDGRAD_TORCH="required")
        return found, said, code


@click.command()
@click.option("--python", "pythons", multiple=True, default=PYTHONS, help="These Pythons alone.")
@click.option("--torch", "versions", multiple=True, type=click.Choice(VERSIONS), default=VERSIONS)
def main(pythons: tuple[str, ...], versions: tuple[str, ...]) -> None:
    """Test with the oldest torch that the extra allows and the newest, on two Pythons.

    Prints a table in the form that documents have, a row for each pair as soon as it is tried.
    """
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        wheel = built("wheel", Path(folder))
        click.echo("| asked for | Python | torch | JAX | NumPy | tests |\n|" + 6 * " --- |")
        for version, which in ((version, which) for version in pythons for which in versions):
            try:
                found, said, code = tried(version, which, wheel)
            except AssertionError as error:
                found, said, code = " | | | ", str(error), 1
            if code:
                click.echo(said, err=True)
            last = ("FAILED: " if code else "") + said.strip().splitlines()[-1].strip("= ")
            click.echo(f"| {version}, {which} | {found} | {last} |")
            failed = failed or bool(code)
    sys.exit(failed)


if __name__ == "__main__":
    main()
