"""Arrows run down, and importing a package has no side effect: proved in fresh interpreters."""

import importlib
import json
import os
import runpy
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from grimp import ImportGraph, build_graph

PACKAGES = ["manual", "autodiff", "handgrad", "models", "compare", "benchmarks", "study", "website"]
ROOMS = [*PACKAGES, "tests"]

#: Modules that need torch say so in what they raise where it is missing.
IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module({package!r})
for module in pkgutil.walk_packages(package.__path__, {package!r} + "."):
    if not module.name.endswith("__main__"):
        try:
            importlib.import_module(module.name)
        except ImportError as error:
            if error.name != "torch":
                raise
"""


def in_a_fresh_interpreter(code: str) -> str:
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_manual_loads_neither_jax_nor_another_room() -> None:
    code = IMPORT_ALL.format(package="manual") + "print(*sys.modules)"
    loaded = {name.split(".")[0] for name in in_a_fresh_interpreter(code).split()}
    assert "manual" in loaded
    assert not loaded & {"jax", "autodiff", "handgrad", "compare"}


@pytest.mark.slow
def test_the_judge_is_loaded_when_it_is_asked_for() -> None:
    """Neither `handgrad --help` nor a test session that checks no gradient waits for JAX."""
    heavy = {"jax", "numpy", "flint", "hypothesis", "scipy", "rich"}
    for module in ("handgrad", "handgrad.cli", "handgrad.commands.check", "handgrad.pytest_plugin"):
        loaded = in_a_fresh_interpreter(f"import {module}, sys; print(*sys.modules)").split()
        assert not {name.split(".")[0] for name in loaded} & heavy
    code = "import handgrad, sys; handgrad.check_gradient; print(*sys.modules)"
    assert "jax" in in_a_fresh_interpreter(code).split()


#: Losses that JAX traces and does not, their gradients and an example.
JUDGED = """
import jax, numpy as np

def loss(w, x):
    return (jax.numpy.tanh(x @ w) ** 2).sum()

def gradient(w, x):
    a = np.tanh(x @ w)
    return 2 * x.T @ (a * (1 - a**2))

def loss_in_numpy(w, x):
    return np.sum(np.sin(w * np.asarray(x)[0, 0]))

def gradient_in_numpy(w, x):
    return x[0, 0] * np.cos(w * x[0, 0])

example = np.array([0.1, -0.2]), np.arange(6.0).reshape(3, 2) + 1
"""

JUDGE = """
import handgrad, handgrad.pytest_plugin
from handgrad.cli import main
from judged import *

assert handgrad.check_gradient(gradient, loss, *example).verdict == "agree"
assert handgrad.check_gradient(gradient_in_numpy, loss_in_numpy, *example).verdict == "agree"
assert str(handgrad.check_gradient(lambda w, x: 3 * w, loss, *example)).startswith("disagree")
assert handgrad.check_custom(jax.nn.relu, np.array([0.5, -0.5])).verdict == "agree"
sys.argv = ["handgrad", "check", "judged.py:gradient", "--loss", "loss", "--like", "example"]
main()
"""


@pytest.mark.slow
def test_what_needs_no_torch_never_asks_for_it(tmp_path: Path) -> None:
    """A package of this name is there, so that asking would be seen, whether torch is or not."""
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise RuntimeError('torch was imported')\n")
    (tmp_path / "judged.py").write_text(JUDGED)
    here = f"import os, sys; os.chdir({str(tmp_path)!r}); sys.path.insert(0, {str(tmp_path)!r})\n"
    assert in_a_fresh_interpreter(here + JUDGE).startswith("agree")
    asked = subprocess.run([sys.executable, "-c", here + "import torch"], capture_output=True)
    assert b"torch was imported" in asked.stderr, "it would be seen"


def test_without_torch_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # as Python has it for what cannot be imported
    for name in ("handgrad.torch", "handgrad.program.aten.installed"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(ImportError) as raised:
        importlib.import_module("handgrad.torch")
    assert raised.value.name == "torch"
    (line,) = str(raised.value).splitlines()
    assert "PyTorch, which is not installed" in line
    assert "pip install 'handgrad[torch]'" in line


@pytest.mark.slow
def test_importing_changes_no_global_setting() -> None:
    """Neither JAX's configuration, nor NumPy's error handling, printing or random state."""
    code = """
import jax, numpy as np
def settings():
    state = np.random.get_state()
    return (dict(jax.config.values), np.geterr(), np.get_printoptions(), state[1].tobytes())
before = settings()
"""
    for package in PACKAGES:
        code += IMPORT_ALL.format(package=package)
        code += f"""
after = settings()
assert before == after, [{package!r}, *((a, b) for a, b in zip(before, after) if a != b)]
assert jax.numpy.asarray(1.0).dtype == jax.numpy.float32
"""
    in_a_fresh_interpreter(code)


def circle(graph: ImportGraph) -> list[str]:
    """The files of an import circle; imports inside functions and for types count as well.

    An import from another package runs the `__init__` of that package first, so it counts, too.
    """
    imports = {}
    for module in graph.modules:
        direct = graph.find_modules_directly_imported_by(module)
        packages = {
            ".".join(name.split(".")[:n]) for name in direct for n in range(1, name.count(".") + 1)
        }
        around = {p for p in packages if module != p and not module.startswith(f"{p}.")}
        imports[module] = direct | (around & graph.modules)
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_no_file_imports_another_in_a_circle() -> None:
    """A circle of files, which the contracts on folders do not see where a layer is one folder."""
    assert circle(build_graph(*ROOMS, "examples", cache_dir=None)) == []


def test_a_circle_of_files_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it comes about inside a function or for a type alone."""
    package = tmp_path / "planted_circle"
    package.mkdir()
    for_types = "import typing\nif typing.TYPE_CHECKING:\n    import planted_circle.lazy\n"
    (package / "__init__.py").write_text("")
    (package / "typed.py").write_text(for_types)
    (package / "lazy.py").write_text("def f():\n    import planted_circle.typed\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = circle(build_graph("planted_circle", cache_dir=None))
    assert {"planted_circle.lazy", "planted_circle.typed"} == set(found)


@pytest.mark.slow
def test_a_broken_contract_would_be_seen(tmp_path: Path) -> None:
    """In a copy whose layers are turned round, with a circle in each room.

    Each circle needs both an import inside a function and one for a type alone.
    """
    for file in (file for room in ROOMS for file in Path(room).rglob("*.py")):
        (tmp_path / file.parent).mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(file.read_bytes())
    for room in ROOMS:
        (tmp_path / room / "lazy.py").write_text(f"def f():\n    import {room}.typed\n")
        for_types = f"import typing\nif typing.TYPE_CHECKING:\n    import {room}.lazy\n"
        (tmp_path / room / "typed.py").write_text(for_types)
    layers = ["tests", "website", "benchmarks | study", "compare", "models"]
    layers += ["manual | autodiff | handgrad"]
    right, turned = (json.dumps(order) for order in (layers, layers[::-1]))
    contracts = Path("pyproject.toml").read_text()
    assert right in contracts
    contracts = contracts.replace(right, turned)
    (tmp_path / "pyproject.toml").write_text(contracts)
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter, "--no-cache"], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 1, run.stderr
    broken = run.stdout.partition("Broken contracts")[2]
    assert "Arrows run down" in broken
    assert "Siblings do not import each other in a circle" in broken
    for room in ROOMS:
        assert f"No cycles are allowed in {room}.\n" in broken


@pytest.mark.parametrize("room", ["benchmarks", "compare", "study", "website"])
def test_a_command_interrupted_while_it_is_loaded_ends_as_later(
    room: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupting:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name == f"{room}.cli":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, f"{room}.cli", raising=False)
    monkeypatch.setattr(os, "_exit", sys.exit)
    monkeypatch.setattr(sys, "meta_path", [Interrupting, *sys.meta_path])
    with pytest.raises(SystemExit) as ending:
        runpy.run_module(room, run_name="__main__")
    assert ending.value.code == 130
    assert capsys.readouterr().err == "\nStopped.\n"
