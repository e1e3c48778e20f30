"""Arrows run down, and importing a package has no side effect: proved in fresh interpreters."""

import importlib
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = [
    *("manual", "autodiff", "handgrad", "models", "compare", "benchmarks", "study", "website"),
    "evaluation",
]

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


@pytest.mark.parametrize(
    "room", ["benchmarks", "compare", "evaluation.foreign", "study", "website"]
)
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
