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
from benchmarks.contenders.peers import importing, scikit_learn
from benchmarks.problems.article import mass_problem, sample_problem
from benchmarks.problems.network import network_problem
from benchmarks.problems.training import TrainingProblem
from benchmarks.ready import Unavailable
from compare.experiment import Settings
from manual.network import Network
from tests.tiers import slowly

RELU = Network((7, 11, 5, 3), activation="relu", loss="softmax-ce")
SQUARES = Network((3, 4, 2), activation="tanh", loss="mse")
SIGMOIDS = Network((2, 2, 1), activation="sigmoid", output="sigmoid", loss="mse")

PROBLEMS: dict[str, Callable[[str], Any]] = {
    "sample": sample_problem,
    "mass": lambda dtype: mass_problem(5, dtype),
    "relu": lambda dtype: network_problem(RELU, 13, dtype),
    "squares": lambda dtype: network_problem(SQUARES, 6, dtype),
    "sigmoids": lambda dtype: network_problem(SIGMOIDS, 4, dtype),
    "training": lambda _: TrainingProblem(Settings(init="ones", epochs=5)),
}

LIBRARIES = {
    names.TORCH: "torch",
    names.TORCH_COMPILED: "torch",
    names.AUTOGRAD: "autograd",
    names.SKLEARN: "sklearn",
}


#: scikit-learn's outputs are of two kinds.
NOT_ASKED = [(names.SKLEARN, of) for of in ("sample", "mass", "sigmoids")]


@functools.cache
def problem(name: str, dtype: str) -> Any:
    return PROBLEMS[name](dtype)


@functools.cache
def gate(name: str, dtype: str) -> Any:
    return problem(name, dtype).gate()


def make(name: str, asked: Any) -> Any:
    pytest.importorskip(LIBRARIES[name], reason=f"{name}: {importing.HINT}")
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
                absent = str(reason) == importing.HINT
                assert absent or name not in LIBRARIES or (name, of) in NOT_ASKED, name
                continue
            judge = gate(of, dtype)
            judge = judge.wider(ready.extra(judge)) if ready.extra else judge
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


@pytest.mark.parametrize(("name", "of"), NOT_ASKED)
def test_other_outputs_are_not_asked_for(name: str, of: str) -> None:
    with pytest.raises(Unavailable, match=scikit_learn.NO_SUCH_OUTPUT):
        make(name, problem(of, "float64"))


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("of", ["sample", "relu"])
def test_an_absent_library_is_named(name: str, of: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(wanted: str) -> None:
        assert wanted.partition(".")[0] == LIBRARIES[name]
        raise ModuleNotFoundError(f"No module named {wanted!r}", name=LIBRARIES[name])

    monkeypatch.setattr(importing, "importlib", SimpleNamespace(import_module=absent))
    with pytest.raises(Unavailable, match=r"^not installed: "):
        contenders(problem(of, "float64"))[name](problem(of, "float64"))


@pytest.mark.parametrize(
    "error",
    [
        OSError("libgomp.so.1: cannot open shared object file\nand more"),
        ModuleNotFoundError("libgomp.so.1: cannot open shared object file", name="another"),
    ],
)
def test_a_library_that_cannot_be_imported_is_not_called_absent(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: str) -> None:
        raise error

    monkeypatch.setattr(importing, "importlib", SimpleNamespace(import_module=broken))
    with pytest.raises(Unavailable, match=r"^cannot be imported: .*: libgomp.*file$"):
        importing.module("torch")


@pytest.mark.parametrize("name", [names.AUTOGRAD, slowly(names.SKLEARN)])
@pytest.mark.parametrize(
    ("described", "reason"),
    [
        (Network((3, 4, 2), activation="gelu"), "not for gelu"),
        (Network((3, 4, 2), loss="bce"), "not for bce"),
        (Network((3, 4, 2), l2=0.1), "without L2 only"),
    ],
)
def test_networks_that_are_not_asked_for_are_refused(
    name: str, described: Network, reason: str
) -> None:
    with pytest.raises(Unavailable, match=reason):
        make(name, network_problem(described, 5, "float64"))


def test_targets_that_are_no_class_are_refused() -> None:
    asked = network_problem(RELU, 4, "float64")
    asked.y[0] = 1 / 3
    with pytest.raises(Unavailable, match="one class each"):
        make(names.TORCH, asked)


@pytest.mark.slow
def test_another_version_of_scikit_learn_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    library = pytest.importorskip("sklearn.neural_network", reason=f"sklearn: {importing.HINT}")

    def without_weights_of_samples(*given: Any) -> None:
        raise TypeError(f"_backprop() takes 7 positional arguments but {len(given)} were given")

    monkeypatch.setattr(library.MLPClassifier, "_backprop", without_weights_of_samples)
    with pytest.raises(Unavailable, match=r"not that of 1\.7 and later: .* 7 .* 8 were given"):
        make(names.SKLEARN, problem("relu", "float64"))


def test_a_failed_compilation_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch", reason=f"torch: {importing.HINT}")

    def failing(*_: Any, **__: Any) -> None:
        raise RuntimeError("no C++ compiler\nand much more")

    monkeypatch.setattr(torch, "compile", failing)
    with pytest.raises(
        Unavailable, match=r"^torch.compile failed: RuntimeError: no C\+\+ compiler$"
    ):
        make(names.TORCH_COMPILED, problem("sample", "float64"))
