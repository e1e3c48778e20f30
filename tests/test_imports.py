"""Arrows run down, and importing a package has no side effect: proved in fresh interpreters."""

import importlib
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
    assert loaded & {"manual", "jax", "autodiff", "handgrad", "compare"} == {"manual"}


#: A package of torch's name is there, so that asking would be seen, whether torch is or not.
JUDGE = """
import os, sys
os.chdir({folder!r})
sys.path.insert(0, "")
import handgrad.pytest_plugin, numpy as np
from handgrad import check_custom, check_gradient
from handgrad.cli import main
from judged import *

assert check_gradient(gradient, loss, *example).verdict == "agree"
in_numpy = lambda w, x: np.sum(np.sin(w * np.asarray(x)[0, 0]))
cosine = lambda w, x: x[0, 0] * np.cos(w * x[0, 0])
assert check_gradient(cosine, in_numpy, *example).verdict == "agree"
assert str(check_gradient(lambda w, x: 3 * w, loss, *example)).startswith("disagree")
assert check_custom(jax.nn.relu, np.array([0.5, -0.5])).verdict == "agree"
try:
    import torch
except RuntimeError:
    sys.argv = ["handgrad", "check", "judged.py:gradient", "--loss", "loss", "--like", "example"]
    main()
"""

JUDGED = """
import jax, numpy as np

def loss(w, x):
    return (jax.numpy.tanh(x @ w) ** 2).sum()

def gradient(w, x):
    a = np.tanh(x @ w)
    return 2 * x.T @ (a * (1 - a**2))

example = np.array([0.1, -0.2]), np.arange(6.0).reshape(3, 2) + 1
"""


@pytest.mark.slow
def test_what_needs_no_torch_never_asks_for_it(tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise RuntimeError('torch was imported')\n")
    (tmp_path / "judged.py").write_text(JUDGED)
    assert in_a_fresh_interpreter(JUDGE.format(folder=str(tmp_path))).startswith("agree")


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
        code += f"assert before == settings(), [{package!r}, before, settings()]\n"
    in_a_fresh_interpreter(code + "assert jax.numpy.asarray(1.0).dtype == jax.numpy.float32")
