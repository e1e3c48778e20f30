"""What is published: the wheel and the source, what they hold, and that they run elsewhere."""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest
from packaging.metadata import Metadata
from packaging.requirements import Requirement

import handgrad
from tests.installing import EXTRAS, PROJECT, ROOT, built, environment, python, requirements
from tests.newcomer import fail_and_mend, run

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


def gradient(w):
    return 2 * w


example = (np.array([1.0, 2.0]),)


def test_right():
    assert compare.MINE
    assert_gradient(gradient, loss, *example)


def test_wrong():
    assert_gradient(lambda w: 3 * w, loss, *example)
"""


def run_the_plugin_and_the_command(programs: Path, project: Path) -> None:
    (project / "compare.py").write_text("MINE = True\n")
    (project / "test_beside.py").write_text(TEST_OF_A_STRANGER)
    code, said = run(project, programs / "pytest", "-q", "test_beside.py")
    assert code == 1, said
    assert "1 failed, 1 passed" in said
    assert "disagree: w: 2 of 2 elements" in said
    assert "def assert_gradient" not in said, "frames of the library are no help"
    assert len(said.splitlines()) < 40
    words = ["check", "test_beside.py:gradient", "--loss", "loss", "--like", "example"]
    code, said = run(project, programs / "handgrad", *words)
    assert code == 0, said
    assert said.startswith("agree")


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.11", "3.13"])
@pytest.mark.parametrize("versions", ["oldest", "newest"])
def test_in_an_empty_environment(wheel: Path, version: str, versions: str) -> None:
    """On the oldest and newest Python, with the oldest and newest dependencies; from an index."""
    interpreter = python(version)
    if interpreter is None:
        pytest.skip(f"there is no Python {version} on this machine that can make environments")
    # Half a gigabyte each, which pytest's own folders would keep.
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder, "project")
        project.mkdir()
        wanted = requirements(versions) + [
            line for line in requirements(versions, "test") if line.startswith("pytest")
        ]
        programs = environment(Path(folder, "env"), interpreter, wheel, *sorted(set(wanted)))
        fail_and_mend(programs / "python", project)
        run_the_plugin_and_the_command(programs, project)


#: RMS norm. The scale depends on x as well, which its backward pass forgets.
WRONG_IN_TORCH = """
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
        dweight = (dy * x * scale).sum(0)
        return dy * weight * scale, dweight


def test_rms_norm():
    x = torch.tensor([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]], dtype=torch.float64)
    weight = torch.tensor([1.0, 0.5, -2.0], dtype=torch.float64)
    assert_function(RMSNorm, x, weight)
"""

#: The rest of its backward pass.
MENDED = (
    "dx = dy * weight * scale\n        dx = dx - x * scale**2 * (dx * x).mean(-1, keepdim=True)"
)


@pytest.mark.slow
def test_a_wrong_backward_pass_in_torch_outside_the_checkout(wheel: Path) -> None:
    """With the extra, and pytest's usual output; it names the line whose term is lost."""
    interpreter = python("3.11")
    if interpreter is None:
        pytest.skip("there is no Python 3.11 on this machine that can make environments")
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder, "project")
        project.mkdir()
        programs = environment(Path(folder, "env"), interpreter, f"{wheel}[torch]", "pytest")
        file = project / "test_rms.py"
        file.write_text(WRONG_IN_TORCH)
        code, said = run(project, programs / "pytest", "-q", "test_rms.py")
        assert code == 1, said
        told = " ".join(said.split())
        assert "disagree: x: 6 of 6 elements" in told
        line = "`scale = torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-5)`): a term is missing"
        assert f"test_rms.py, line 9, {line}" in told, said
        assert "def assert_function" not in said, "frames of the library are no help"
        # It has 26 lines, of which eight are pytest's own.
        assert len(said.splitlines()) <= 30, said
        right = WRONG_IN_TORCH.replace(
            "return dy * weight * scale,", f"{MENDED}\n        return dx,"
        )
        file.write_text(right)
        code, said = run(project, programs / "pytest", "-q", "test_rms.py")
        assert code == 0, said
