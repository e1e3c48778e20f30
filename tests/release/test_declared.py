"""Nothing is imported whose package is not declared, by the group of dependencies of each room."""

import ast
import importlib.metadata
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.release.installing import EXTRAS, PROJECT, ROOT

pytestmark = pytest.mark.slow


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


@pytest.mark.parametrize("room", ROOMS)
def test_what_is_imported_is_declared(room: str) -> None:
    groups, owners = _project(), importlib.metadata.packages_distributions()
    allowed = {package for group in ROOMS[room] for package in groups[group]} | {"jaxlib"}
    for top, path in _imports(room):
        packages = {_normal(package) for package in owners.get(top, [top])}
        assert packages & allowed, f"{path} imports {top}, which is not declared"
