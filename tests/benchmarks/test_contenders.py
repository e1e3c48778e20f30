"""Contenders are held to the gate, and named where they are not asked or not installed."""

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest

from benchmarks import names
from benchmarks.contenders.families import contenders
from benchmarks.contenders.peers import NO_SUCH_OUTPUT
from benchmarks.problems.gradient import mass_problem, network_problem, sample_problem
from benchmarks.problems.training import training_problem
from benchmarks.ready import HINT, Unavailable
from manual.network import Network

RELU = Network((7, 11, 5, 3), activation="relu", loss="softmax-ce")
SQUARES = Network((3, 4, 2), activation="tanh", loss="mse")
SIGMOIDS = Network((2, 2, 1), activation="sigmoid", output="sigmoid", loss="mse")

PROBLEMS: dict[str, Callable[[str], Any]] = {
    "sample": sample_problem,
    "mass": lambda dtype: mass_problem(5, dtype),
    "relu": lambda dtype: network_problem(RELU, 13, dtype),
    "squares": lambda dtype: network_problem(SQUARES, 6, dtype),
    "sigmoids": lambda dtype: network_problem(SIGMOIDS, 4, dtype),
    "training": lambda _: training_problem(5),
}

LIBRARIES = {
    names.TORCH: "torch",
    names.TORCH_COMPILED: "torch",
    names.AUTOGRAD: "autograd",
    names.SKLEARN: "sklearn",
}


#: scikit-learn is asked about classes only.
NOT_ASKED = {(names.SKLEARN, "sigmoids"), (names.SKLEARN, "squares")}


@functools.cache
def problem(name: str, dtype: str) -> Any:
    return PROBLEMS[name](dtype)


@functools.cache
def gate(name: str, dtype: str) -> Any:
    return problem(name, dtype).gate()


def make(name: str, asked: Any) -> Any:
    pytest.importorskip(LIBRARIES[name], reason=f"{name}: {HINT}")
    return contenders(asked)[name](asked)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("of", PROBLEMS)
def test_every_contender_is_right_twice_or_is_not_asked(of: str, dtype: str) -> None:
    """Neither is an answer added to the one before, nor is the one before overwritten."""
    timed, few = 0, 8 * float(np.finfo(dtype).eps)
    if of == "training" and dtype == "float32":
        return
    with jax.enable_x64(dtype == "float64"):
        for name, make in contenders(problem(of, dtype)).items():
            try:
                ready = make(problem(of, dtype))
            except Unavailable as reason:
                absent = str(reason) == HINT
                assert absent or name not in LIBRARIES or (name, of) in NOT_ASKED, name
                continue
            judge = ready.judge(gate(of, dtype))
            first = ready.run()
            before = [leaf.copy() for leaf in ready.read(first)]
            second = ready.read(ready.run())
            for leaves in (before, ready.read(first), second):
                assert judge.complaint(leaves) == "", name
                assert judge.share(leaves) < 0.9, name
            for one, other in zip(before, second, strict=True):
                np.testing.assert_allclose(one, other, rtol=few, atol=few)
            timed += 1
    assert timed >= 5


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize(
    ("error", "says"),
    [
        (lambda name: ModuleNotFoundError("No module", name=name), "^not installed: "),
        (lambda _: OSError("libgomp.so.1: no file\nand more"), "^cannot be imported: .* file$"),
        (lambda _: ModuleNotFoundError("libgomp", name="another"), "^cannot be imported: .*gomp$"),
    ],
)
def test_a_library_that_cannot_be_imported_is_named(
    name: str, error: Callable[[str], Exception], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(wanted: str) -> None:
        assert wanted.partition(".")[0] == LIBRARIES[name]
        raise error(LIBRARIES[name])

    monkeypatch.setattr("benchmarks.ready.importlib", SimpleNamespace(import_module=absent))
    with pytest.raises(Unavailable, match=says):
        contenders(problem("relu", "float64"))[name](problem("relu", "float64"))


def test_what_is_not_asked_for_is_refused() -> None:
    with pytest.raises(Unavailable, match=NO_SUCH_OUTPUT):
        make(names.SKLEARN, network_problem(SIGMOIDS, 5, "float64"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "of", "reason"),
    [
        (names.SKLEARN, "neural_network.MLPClassifier._backprop", r"not that of 1\.7 and later: "),
        (names.TORCH_COMPILED, "compile", r"^torch.compile failed: TypeError: it$"),
    ],
)
def test_another_version_is_named(
    name: str, of: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(*_: Any, **__: Any) -> None:
        raise TypeError("it\nand much more")

    pytest.importorskip(LIBRARIES[name], reason=f"{name}: {HINT}")
    monkeypatch.setattr(f"{LIBRARIES[name]}.{of}", changed)
    with pytest.raises(Unavailable, match=reason):
        make(name, problem("relu", "float64"))
