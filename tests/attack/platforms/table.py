"""Pythons and versions of dependencies: the wheel alone, and what may be imported."""

import ast
import importlib.metadata
import re
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from tests.attack.cases import ROOT, Case, SkippedError, require
from tests.attack.processes import MODULE, ended, folder
from tests.release.installing import EXTRAS, PROJECT, built, environment, python, requirements

PYTHONS = ("3.11", "3.12", "3.13")

VERSIONS = ("oldest", "newest")

#: What is tried in each environment, away from the checkout, with warnings as errors.
SMOKE = (
    MODULE
    + """

import importlib, pkgutil
import handgrad
from handgrad import check_backward, check_gradient, exact_gradient, time_gradient
from importlib.metadata import version

for module in pkgutil.walk_packages(handgrad.__path__, "handgrad."):
    if not module.name.endswith(("__main__", "pytest_plugin")):  # pytest imports its plugin
        try:
            importlib.import_module(module.name)
        except ImportError as error:
            assert error.name == "torch", error  # an extra
right, wrong = (check_gradient(lambda *at: f * gradient(*at), loss, *example) for f in (1, 2))
assert right.verdict == "agree", right
assert wrong.verdict == "disagree" and wrong.diagnoses[0].kind == "factor", wrong
assert "not" not in str(wrong.counterexample)[:3]
exact_gradient(loss, *example)
handgrad.assert_gradient(gradient, lambda w, x: np.sum(np.tanh(x @ w) ** 2), *example)
names = ("jax", "numpy", "scipy", "python-flint", "hypothesis", "click", "rich")
print(*(f"{name} {version(name)}" for name in names))
"""
)

TEST = """
from handgrad import assert_gradient
from smoke import gradient, loss, example

def test_right():
    assert_gradient(gradient, loss, *example)
"""


def _run(*words: object, cwd: Path) -> str:
    """Run a command, which must succeed, in the environment as it is."""
    found = ended(words, cwd, timeout=900, env=None)
    require(found.code == 0, f"{found.out[-400:]} {found.err[-800:]}".strip())
    return found.out.strip()


def _installed(here: Path, version: str, *more: str) -> Path:
    """Install the wheel and more in an empty environment, and return its Python."""
    interpreter = python(version)
    if interpreter is None:
        raise SkippedError(f"no Python {version} on this machine")
    (here / "smoke.py").write_text(SMOKE)
    return environment(here / "env", interpreter, built("wheel", here), *more) / "python"


def wheel(version: str, versions: str) -> str:
    """The wheel alone in an environment of its own."""
    with folder() as here:
        python_here = _installed(here, version, *requirements(versions))
        said = _run(python_here, "-W", "error", "smoke.py", cwd=here)
        check = ["check", "smoke.py:gradient", "--loss", "loss", "--like", "example"]
        out = _run(python_here, "-W", "error", "-m", "handgrad", *check, cwd=here)
        require(out.startswith("agree"), out[:200])
        return said


def plugin(version: str) -> str:
    """The wheel beside pytest, which finds the plugin; warnings are errors."""
    with folder() as here:
        python_here = _installed(here, version, "pytest")
        (here / "test_smoke.py").write_text(TEST)
        out = _run(python_here, "-W", "error", "-m", "pytest", "-q", "-W", "error", cwd=here)
        return out.splitlines()[-1]


def _project() -> dict[str, list[str]]:
    """The packages of each dependency group, and of the wheel, named as pyproject.toml does."""
    groups = {"": PROJECT["project"]["dependencies"]} | PROJECT["dependency-groups"]
    groups["extra"] = [line for lines in EXTRAS.values() for line in lines]
    groups["plugin"] = ["pytest"]  # which alone imports it
    return {
        group: [
            _normal(re.split(r"[\[<>=!~; ]", line)[0]) for line in lines if isinstance(line, str)
        ]
        for group, lines in groups.items()
    }


def _normal(package: str) -> str:
    """Write the name of a package as an index compares it: ml_dtypes is ml-dtypes."""
    return re.sub(r"[-_.]+", "-", package).lower()


def _imports(room: str) -> Iterator[tuple[str, Path]]:
    """Every module that is imported from outside, with the file that does."""
    own = {path.name for path in ROOT.iterdir()} | {"conftest", "examples"}
    for path in sorted((ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for top in {name.split(".")[0] for name in names} - own - sys.stdlib_module_names:
                yield top, path.relative_to(ROOT)


#: The dependency groups whose packages a room may import.
ROOMS = {
    "handgrad": ("", "plugin", "extra"),
    "manual": ("", "test"),
    "autodiff": ("", "test"),
    "models": ("", "test"),
    "compare": ("", "dev", "test", "plot", "prove", "data"),
    "benchmarks": ("", "dev", "test", "plot", "bench", "peers", "examples"),
    "study": ("", "checks", "dev", "study", "plot"),
    "website": ("", "docs"),
    "examples": ("", "examples", "dev", "torch"),
}


def declared(room: str) -> str:
    """Nothing is imported whose package is not declared for the room."""
    groups, owners = _project(), importlib.metadata.packages_distributions()
    allowed = {package for group in ROOMS[room] for package in groups[group]} | {"jaxlib"}
    seen = set()
    for top, path in _imports(room):
        packages = {_normal(package) for package in owners.get(top, [top])}
        require(packages & allowed, f"{path} imports {top}, which is not declared")
        seen |= packages & allowed
    return ", ".join(sorted(seen))


def table() -> Mapping[str, Case]:
    """Every platform by its name."""
    made: dict[str, Case] = {f"declared: {room}": partial(declared, room) for room in ROOMS}
    for version in PYTHONS:
        for versions in VERSIONS:
            made[f"the wheel: Python {version}, {versions}"] = partial(wheel, version, versions)
        made[f"the plugin: Python {version}"] = partial(plugin, version)
    return made
