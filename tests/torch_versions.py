"""The tests of torch, with the oldest that the extra allows and the newest.

On Python 3.11 and 3.13, each pair in an environment of its own with the built wheel: its files,
and no other of handgrad's, are tested. All else is the newest there is; the wheel's own lower
bounds are tried by tests/test_wheels.py. `python -m tests.torch_versions` takes minutes a pair, and
some 7 GB while one is tried, since the torch that an index has for Linux comes with CUDA.
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from tests.installing import EXTRAS, ROOT, at, built, environment, python, requirements
from tests.newcomer import run

PYTHONS = ("3.11", "3.13")

VERSIONS = ("oldest", "newest")

#: What the tests are made of; the judge itself is the installed one.
ROOMS = ("tests", "models", "manual", "docs", "conftest.py", "pyproject.toml")

FOLDER = "tests/handgrad/torch"

#: What is in an environment, by which code.
ASK = """
import json, sys
from importlib.metadata import version
import handgrad
found = {name: version(name) for name in ("torch", "jax", "numpy")}
print(json.dumps(found | {"Python": sys.version.split()[0], "handgrad": handgrad.__file__}))
"""


@dataclass(frozen=True)
class Tried:
    """One pair of a Python and a torch."""

    python: str
    torch: str
    versions: dict[str, str]
    says: str
    seconds: float
    passed: bool


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Yield the folder of an environment, which is removed afterwards unless it is kept."""
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def copied_rooms(folder: Path) -> Path:
    """Copy the rooms that the tests are made of into a folder, without the judge."""
    for room in ROOMS:
        if (ROOT / room).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(ROOT / room, folder / room, ignore=ignored)
        else:
            shutil.copy(ROOT / room, folder / room)
    return folder


def tried(version: str, versions: str, wheel: Path, keep: Path | None) -> Tried:
    """Install the wheel and a torch for one Python, and run the tests against them."""
    began = time.perf_counter()
    found: dict[str, str] = {}
    try:
        interpreter = python(version)
        assert interpreter, f"no Python {version} on this machine that can make environments"
        with _folder(keep and keep / f"{version}-{versions}") as folder:
            packages = [*(at(versions, line) for line in EXTRAS["torch"]), wheel]
            packages += requirements("newest", "test")
            # The newest is that of the index, whatever this machine's constraints hold it down to.
            options = {"PIP_CONSTRAINT": "", "PIP_NO_CACHE_DIR": "1"}
            environment(folder, interpreter, *packages, **options)
            # In one that was kept, another wheel of the same version would stay.
            anew = ("--force-reinstall", "--no-deps", wheel)
            programs = environment(folder, interpreter, *anew, **options)
            found, code, said = ended_with(programs)
    except AssertionError as error:
        code, said = 1, str(error)
    if code:
        click.echo(said, err=True)
    last = said.strip().splitlines()[-1].strip("= ")
    return Tried(version, versions, found, last, time.perf_counter() - began, code == 0)


def ended_with(programs: Path) -> tuple[dict[str, str], int, str]:
    """Return what is in an environment, and how the tests of the judge that is there ended."""
    with tempfile.TemporaryDirectory() as copied:
        here = copied_rooms(Path(copied))
        code, said = run(here, programs / "python", "-c", ASK)
        assert code == 0, said
        found = json.loads(said)
        origin = Path(found.pop("handgrad"))
        assert origin.is_relative_to(programs.parent), f"not the wheel's: {origin}"
        options = ["-q", "-n", "auto", "-m", "slow or not slow", "-p", "no:cacheprovider"]
        test = [programs / "python", "-m", "pytest", *options, FOLDER]
        return found, *run(here, *test, HANDGRAD_TORCH="required")


def table(rows: list[Tried]) -> str:
    """Return the pairs as a table, in the form that documents have."""
    lines = [
        "| Python | torch | JAX | NumPy | tests | s |",
        "| --- | --- | --- | --- | --- | ---: |",
    ]
    for row in rows:
        found = row.versions
        of_python, torch = found.get("Python", row.python), found.get("torch", "")
        cells = [of_python, f"{torch} ({row.torch})".strip(), found.get("jax"), found.get("numpy")]
        says = row.says if row.passed else f"FAILED: {row.says}"
        lines.append(f"| {' | '.join(cell or '' for cell in cells)} | {says} | {row.seconds:.0f} |")
    return "\n".join(lines)


@click.command()
@click.option("--python", "pythons", multiple=True, default=PYTHONS, help="These Pythons alone.")
@click.option("--torch", "versions", multiple=True, type=click.Choice(VERSIONS), default=VERSIONS)
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the environments here.")
def main(pythons: tuple[str, ...], versions: tuple[str, ...], keep: Path | None) -> None:
    """Test with the oldest torch that the extra allows and the newest, on two Pythons."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        wheel = built("wheel", Path(folder))
        for version in pythons:
            for which in versions:
                rows.append(tried(version, which, wheel, keep))
                click.echo(table(rows[-1:]).splitlines()[-1], err=True)
    click.echo(table(rows))
    sys.exit(0 if all(row.passed for row in rows) else 1)


if __name__ == "__main__":
    main()
