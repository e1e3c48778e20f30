"""Pythons and versions of dependencies: the wheel alone, and what may be imported."""

import ast
import contextlib
import importlib.metadata
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from tests.attack import cases
from tests.attack.cases import Case, SkippedError, require
from tests.attack.measured import ROOT

RESULTS = Path(__file__).with_name("results.jsonl")

PYTHONS = ("3.11", "3.12", "3.13")

#: How uv chooses versions: of each dependency that is named the oldest allowed, or the newest.
VERSIONS = {"oldest": "lowest-direct", "newest": "highest"}

#: What is tried in each environment, away from the checkout, with warnings as errors.
SMOKE = """
import importlib, pkgutil, subprocess, sys, warnings
import handgrad
for module in pkgutil.walk_packages(handgrad.__path__, "handgrad."):
    if not module.name.endswith(("__main__", "pytest_plugin")):  # pytest imports its plugin
        importlib.import_module(module.name)
import jax.numpy as jnp, numpy as np
from handgrad import check_backward, check_gradient, exact_gradient, time_gradient

def loss(w, x):
    return jnp.sum(jnp.tanh(x @ w) ** 2)

def gradient(w, x):
    a = np.tanh(x @ w)
    return 2 * x.T @ (a * (1 - a**2))

example = (np.array([0.1, -0.2]), np.arange(6.0).reshape(3, 2))
right, wrong = (check_gradient(lambda *at: f * gradient(*at), loss, *example) for f in (1, 2))
assert right.verdict == "agree", right
assert wrong.verdict == "disagree" and wrong.diagnoses[0].kind == "factor", wrong
assert "not" not in str(wrong.counterexample)[:3]
exact_gradient(loss, *example)
handgrad.assert_gradient(gradient, lambda w, x: np.sum(np.tanh(x @ w) ** 2), *example)
print("handgrad", *(f"{name} {__import__('importlib.metadata').metadata.version(name)}" for name in
      ("jax", "numpy", "scipy", "python-flint", "hypothesis", "click", "rich")))
"""

TEST = """
import numpy as np
from handgrad import assert_gradient
from hypothesis import given, settings
from smoke import gradient, loss, example

def test_right():
    assert_gradient(gradient, loss, *example)
"""


def _wheel(folder: str) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = Path(folder).glob("*.whl")
    return built


def _run(*words: object, cwd: Path, limit: float = 900) -> str:
    run = subprocess.run(
        [*map(str, words)], cwd=cwd, capture_output=True, text=True, check=False, timeout=limit
    )
    require(run.returncode == 0, f"{run.stdout[-400:]} {run.stderr[-800:]}".strip())
    return run.stdout.strip()


def _python(version: str) -> str:
    """Return a Python of this version: one on the path, or one that pyenv keeps."""
    kept = Path.home().glob(f".pyenv/versions/{version}.*/bin/python")
    for found in (f"python{version}", *map(str, kept)):
        with contextlib.suppress(OSError):
            if not subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode:
                return found
    raise SkippedError(f"no Python {version} on this machine")


def _installed(here: Path, version: str, *more: str) -> Path:
    """Install the wheel and more in an empty environment, and return its Python."""
    if shutil.which("uv") is None:
        raise SkippedError("uv is not installed")
    python, env = _python(version), here / "env"
    _run("uv", "venv", "--quiet", "--no-python-downloads", "--python", python, env, cwd=here)
    inside = env / "bin" / "python"
    _run("uv", "pip", "install", "--quiet", "--python", inside, _wheel(str(here)), *more, cwd=here)
    (here / "smoke.py").write_text(SMOKE)
    return inside


def wheel(python: str, versions: str) -> str:
    """The wheel alone in an environment of its own."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    # Named, so that the oldest of each is taken, and not only that of what nobody else needs.
    named = ["--resolution", VERSIONS[versions], *project["dependencies"]]
    with tempfile.TemporaryDirectory() as name:
        here, python_here = Path(name), _installed(Path(name), python, *named)
        said = _run(python_here, "-W", "error", "smoke.py", cwd=here)
        check = ["check", "smoke.py:gradient", "--loss", "loss", "--like", "example"]
        out = _run(python_here, "-W", "error", "-m", "handgrad", *check, cwd=here)
        require(out.startswith("agree"), out[:200])
        return said.removeprefix("handgrad ")


def plugin(python: str) -> str:
    """The wheel beside pytest, which finds the plugin; warnings are errors."""
    with tempfile.TemporaryDirectory() as name:
        here, python_here = Path(name), _installed(Path(name), python, "pytest")
        (here / "test_smoke.py").write_text(TEST)
        out = _run(python_here, "-W", "error", "-m", "pytest", "-q", "-W", "error", cwd=here)
        return out.splitlines()[-1]


def _project() -> dict[str, list[str]]:
    """The packages of each extra, and of none, named as pyproject.toml does."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = {"": project["dependencies"]} | project["optional-dependencies"]
    extras["plugin"] = ["pytest"]  # which alone imports it
    return {
        extra: [re.split(r"[\[<>=!~; ]", line)[0].lower() for line in lines]
        for extra, lines in extras.items()
    }


def _imports(room: str) -> Iterator[tuple[str, str]]:
    """Every module that is imported from outside, with the file that does."""
    own = {path.name for path in ROOT.iterdir()} | {"conftest", "examples"}
    for path in sorted((ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in names:
                top = name.split(".")[0]
                if top not in own and top not in sys.stdlib_module_names:
                    yield top, str(path.relative_to(ROOT))


#: The extras whose packages a room may import.
ROOMS = {
    "handgrad": ("", "plugin"),
    "manual": ("", "dev"),
    "autodiff": ("", "dev"),
    "models": ("", "dev"),
    "compare": ("", "dev", "plot", "prove", "data"),
    "benchmarks": ("", "dev", "plot", "bench", "peers", "examples"),
    "study": ("", "dev", "study", "plot"),
    "examples": ("", "examples", "dev"),
}


def declared(room: str) -> str:
    """Nothing is imported whose package is not declared for the room."""
    extras, owners = _project(), importlib.metadata.packages_distributions()
    allowed = {package for extra in ROOMS[room] for package in extras[extra]} | {"jaxlib"}
    seen = set()
    for module, path in _imports(room):
        packages = {package.lower() for package in owners.get(module, [module])}
        require(packages & allowed, f"{path} imports {module}, which is not declared")
        seen |= packages & allowed
    return ", ".join(sorted(seen))


def table() -> Mapping[str, Case]:
    """Every platform by its name."""
    made: dict[str, Case] = {f"declared: {room}": partial(declared, room) for room in ROOMS}
    for python in PYTHONS:
        for versions in VERSIONS:
            made[f"the wheel: Python {python}, {versions}"] = partial(wheel, python, versions)
        made[f"the plugin: Python {python}"] = partial(plugin, python)
    return made


platforms = cases.command(
    "platforms",
    "Pythons, the oldest and newest of each dependency, the wheel alone, and what is declared.",
    *(table, RESULTS, 3600),
)


def section() -> str:
    """Write the section."""
    return cases.section(Path(__file__).with_name("section.md.j2"), RESULTS, table())
