"""What the project promises about itself: what is installed, what is locked, what is not named."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
LOCK = (ROOT / "requirements.lock").read_text()


def tracked() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listing.stdout.splitlines() if (ROOT / line).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_installs_one_name(wheel: Path) -> None:
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"handgrad"}


def test_beside_a_strangers_modules(wheel: Path, tmp_path: Path) -> None:
    """A project with its own compare.py, manual/ and benchmarks/ is not disturbed."""
    site, project = tmp_path / "site", tmp_path / "project"
    zipfile.ZipFile(wheel).extractall(site)
    for name in ("compare.py", "manual/__init__.py", "benchmarks/__init__.py"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("MINE = True\n")
    code = (
        f"import sys; sys.path.insert(1, {str(site)!r})\n"
        "import handgrad, compare, manual, benchmarks\n"
        "assert compare.MINE and manual.MINE and benchmarks.MINE\n"
        "assert handgrad.ulp_distance(1.0, 1.0) == 0\n"
        f"assert handgrad.__file__.startswith({str(site)!r})\n"
    )
    subprocess.run(in_isolation(code), cwd=project, check=True)


def in_isolation(code: str) -> list[str]:
    """Code in an interpreter without this checkout.

    -S leaves out the environment's path files, which put it on the path; what handgrad needs is in
    the environment, so its folder is added by hand.
    """
    import numpy

    path = str(Path(numpy.__file__).parent.parent)
    return [sys.executable, "-S", "-c", f"import sys; sys.path.append({path!r})\n{code}"]


TEST_OF_A_STRANGER = """
import jax.numpy as jnp
import numpy as np
from handgrad import assert_gradient

import compare  # the stranger's own


def loss(w):
    return jnp.sum(w**2)


def test_right():
    assert compare.MINE
    assert_gradient(lambda w: 2 * w, loss, np.array([1.0, 2.0]))


def test_wrong():
    assert_gradient(lambda w: 3 * w, loss, np.array([1.0, 2.0]))
"""


@pytest.mark.slow
def test_the_plugin_beside_a_strangers_modules(wheel: Path, tmp_path: Path) -> None:
    """pytest finds the plugin of the installed wheel, and a failure is the judge's report."""
    site, project = tmp_path / "site", tmp_path / "project"
    zipfile.ZipFile(wheel).extractall(site)
    project.mkdir()
    (project / "compare.py").write_text("MINE = True\n")
    (project / "test_mine.py").write_text(TEST_OF_A_STRANGER)
    code = (
        f"import sys; sys.path.insert(1, {str(site)!r}); sys.path.insert(1, {str(project)!r})\n"
        "import pytest\n"
        "raise SystemExit(pytest.main(['-q', '-p', 'no:cacheprovider', '--rootdir', '.', '.']))\n"
    )
    run = subprocess.run(
        in_isolation(code), cwd=project, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert "1 failed, 1 passed" in run.stdout
    assert "disagree: params: 2 of 2 elements" in run.stdout
    assert "def assert_gradient" not in run.stdout, "frames of the library are no help"
    assert len(run.stdout.splitlines()) < 40


def test_the_lock_serves_both_generations_of_jax() -> None:
    """On Python 3.11 the newest JAX is an older one."""
    versions = re.findall(r"^jax==(\S+) ; (.*?) ?\\?$", LOCK, flags=re.MULTILINE)
    assert len(versions) == 2
    assert {"<" in marker for _, marker in versions} == {True, False}


def test_no_package_host_is_named() -> None:
    """No lock, comment or document holds the address of one (the pattern is in pieces for that)."""
    hosts = ["py" + "pi", "python" + "hosted", "np" + "mjs", "conda" + ".anaconda"]
    options = ["index" + "-url", "find" + "-links", "extra" + "-index"]
    pattern = re.compile(
        rf"(?:{'|'.join(hosts)})\.(?:org|com)|--?(?:{'|'.join(options)})|https?://\S+/simple\b"
    )
    for path in tracked():
        found = pattern.search(path.read_text(encoding="utf-8", errors="replace"))
        assert found is None, f"{path.relative_to(ROOT)}: {found}"


#: The most words of the README, code and tables included: it is read whole.
MOST_WORDS = 900


def test_the_readme_is_short_and_has_its_two_commands_and_its_picture() -> None:
    assert "$ make run\n" in README
    assert "$ make test\n" in README
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
    assert README.count("![") == 1
    assert len(README.split()) <= MOST_WORDS
