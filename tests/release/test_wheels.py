"""What is published: the wheel and the source, what they hold, and that they run elsewhere."""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.metadata import Metadata
from packaging.requirements import Requirement

import handgrad
from tests.documents.newcomer import fail_and_mend, run
from tests.release.installing import EXTRAS, PROJECT, ROOT, built, environment, python, requirements

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("wheel", tmp_path_factory.mktemp("wheel"))


def contents(wheel: Path) -> dict[str, bytes]:
    archive = zipfile.ZipFile(wheel)
    return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    files = contents(wheel)
    about = f"handgrad-{handgrad.__version__}.dist-info"
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "handgrad").rglob("*.py")}
    names = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
    described = {f"{about}/{name}" for name in names}
    assert files.keys() == modules | {"handgrad/py.typed"} | described
    assert files[f"{about}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()


def test_an_index_takes_its_description(wheel: Path) -> None:
    """`packaging` refuses what breaks the rules for metadata, as an index does."""
    (text,) = [text for name, text in contents(wheel).items() if name.endswith("/METADATA")]
    said = Metadata.from_email(text, validate=True)
    assert (said.name, str(said.version)) == ("handgrad", handgrad.__version__)
    assert (said.license_expression, said.license_files) == ("MIT", ["LICENSE"])
    assert (said.description or "").strip() == README.strip()
    assert said.description_content_type == "text/markdown"
    needs = {Requirement(line) for line in PROJECT["project"]["dependencies"]}
    needs |= {Requirement(f"{line}; extra == 'torch'") for line in EXTRAS["torch"]}
    assert set(said.requires_dist or []) == needs, "groups of the checkout are no extras"
    assert said.provides_extra == [*EXTRAS] == ["torch"]


@pytest.mark.slow
def test_the_source_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    source = built("sdist", tmp_path)
    # As a command: Python 3.11.2 knows no filter, and later ones warn where none is named.
    unpack = [sys.executable, "-m", "tarfile", "-e", str(source), str(tmp_path)]
    subprocess.run(unpack, check=True, capture_output=True)
    unpacked = tmp_path / source.name.removesuffix(".tar.gz")
    assert {path.name for path in unpacked.iterdir()} == {
        *("handgrad", "LICENSE", "README.md", "CHANGELOG.md", "CITATION.cff"),
        *("pyproject.toml", "PKG-INFO", ".gitignore"),
    }
    (tmp_path / "again").mkdir()
    assert contents(built("wheel", tmp_path / "again", unpacked)) == contents(wheel)


#: Beside modules of a stranger's own, one of which is called as one of ours.
IN_JAX = """
import jax.numpy as jnp
import numpy as np
from handgrad import assert_gradient

from compare import MINE

example = (np.array([1.0, 2.0]),)


def loss(w):
    return MINE * jnp.sum(w**2)


def gradient(w):
    return 2 * w


def test_right():
    assert_gradient(gradient, loss, *example)


def test_wrong():
    assert_gradient(lambda w: 3 * w, loss, *example)
"""

#: RMS norm. The scale depends on x as well, which its backward pass forgets.
IN_TORCH = """
import torch
from handgrad.torch import assert_function


class RMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        scale = torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-5)
        ctx.save_for_backward(x, weight, scale)
        return x * scale * weight

    @staticmethod
    def backward(ctx, dy):
        x, weight, scale = ctx.saved_tensors
        return dy * weight * scale, (dy * x * scale).sum(0)


def test_wrong():
    x = torch.tensor([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]], dtype=torch.float64)
    assert_function(RMSNorm, x, torch.tensor([1.0, 0.5, -2.0], dtype=torch.float64))
"""


def fails(programs: Path, project: Path, test: str, *due: str) -> None:
    """Run a test as pytest does by itself, and see it fail as is due, and in few lines."""
    (project / "compare.py").write_text("MINE = True\n")
    (project / "test_it.py").write_text(test)
    code, said = run(project, programs / "pytest", "-q", "test_it.py")
    assert code == 1, said
    told = " ".join(said.split())
    assert [words for words in due if words not in told] == [], said
    assert "def assert_" not in said, "frames of the library are no help"
    assert len(said.splitlines()) < 40, said


@pytest.fixture
def outside() -> Iterator[Path]:
    """A folder for half a gigabyte, which pytest's own folders would keep."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "project").mkdir()
        yield Path(folder)


def interpreter(version: str) -> str:
    found = python(version)
    if found is None:
        pytest.skip(f"there is no Python {version} on this machine that can make environments")
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("versions", "version"),
    [
        ("oldest", "3.11"),
        ("newest", "3.13"),
        pytest.param("oldest", "3.13", marks=pytest.mark.night),
        pytest.param("newest", "3.11", marks=pytest.mark.night),
    ],
)
def test_in_an_empty_environment(wheel: Path, outside: Path, versions: str, version: str) -> None:
    """On the oldest and newest Python, with the oldest and newest dependencies; from an index."""
    of_tests = [line for line in requirements(versions, "test") if line.startswith("pytest")]
    wanted = {*requirements(versions), *of_tests}
    programs = environment(outside / "env", interpreter(version), wheel, *sorted(wanted))
    project = outside / "project"
    fail_and_mend(programs / "python", project)
    fails(programs, project, IN_JAX, "1 failed, 1 passed", "disagree: w: 2 of 2 elements")
    words = ["check", "test_it.py:gradient", "--loss", "loss", "--like", "example"]
    code, said = run(project, programs / "handgrad", *words)
    assert (code, said[:5]) == (0, "agree"), said


@pytest.mark.slow
def test_a_wrong_backward_pass_in_torch_with_the_extra(wheel: Path, outside: Path) -> None:
    """It names the line whose term is lost."""
    programs = environment(outside / "env", interpreter("3.11"), f"{wheel}[torch]", "pytest")
    line = "`scale = torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-5)`): a term is missing"
    said = ("disagree: x: 6 of 6 elements", f"test_it.py, line 9, {line}")
    fails(programs, outside / "project", IN_TORCH, *said)
