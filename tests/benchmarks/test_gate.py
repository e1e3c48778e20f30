"""The gate: right answers pass, and mistakes of the kinds that are made by hand do not."""

from dataclasses import replace

import numpy as np
import pytest

import manual.network
from benchmarks.contenders.article import train_floats
from benchmarks.contenders.derivatives import allowance
from benchmarks.problems.gate import Gate, RefusedError
from benchmarks.problems.gradient import NetworkProblem, network_problem, sample_problem
from benchmarks.problems.training import training_problem
from benchmarks.ready import leaves
from manual.affine import Layer
from manual.network import Network

pytestmark = pytest.mark.slow

NETWORK = Network((7, 11, 5, 3), activation="relu", loss="softmax-ce")
BATCH = 13
DTYPES = ["float32", "float64"]


@pytest.fixture(scope="module", params=DTYPES)
def problem(request: pytest.FixtureRequest) -> NetworkProblem:
    return network_problem(NETWORK, BATCH, request.param)


@pytest.fixture(scope="module")
def judge(problem: NetworkProblem) -> Gate:
    return problem.gate()


def right(problem: NetworkProblem) -> list[np.ndarray]:
    return leaves(problem.by_hand(*problem.arguments))


def without(what: str, problem: NetworkProblem) -> list[np.ndarray]:
    """A gradient with one mistake."""
    found = right(problem)
    w, b = found[3].copy(), found[4]
    typical = np.argsort(np.abs(w), axis=None)[w.size // 2]
    if what == "a sign":
        w.flat[typical] *= -1
    elif what == "1/B of one bias":
        b = b * BATCH
    elif what == "a number":
        b = np.where(np.arange(b.size) == 2, b.dtype.type(np.nan), b)
    elif what == "digits":
        kept = 16 if w.dtype == np.float32 else 32
        w = w.astype(f"float{kept}").astype(w.dtype)
    found[3], found[4] = w, b
    return found


@pytest.mark.parametrize("what", ["a sign", "1/B of one bias", "a number", "digits"])
def test_a_mistake_does_not_pass(problem: NetworkProblem, judge: Gate, what: str) -> None:
    assert judge.sees() > 0.9
    assert judge.complaint(without(what, problem)).startswith(("dw of layer", "db of layer"))


def test_w_for_its_transpose_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the backward pass alone, where the shapes still fit: a square w."""
    there = network_problem(
        Network((7, 5, 5, 3), activation="relu", loss="softmax-ce"), BATCH, "float32"
    )
    judge = there.gate()
    assert judge.complaint(right(there)) == ""
    monkeypatch.setattr(
        manual.network,
        "affine_backward_inputs",
        lambda dz, cache: dz @ (cache.w if cache.w.shape == (5, 5) else cache.w.T),
    )
    assert judge.complaint(right(there)).startswith("dw of layer 1")
    # The hand lines are a witness of the truth as well; then nobody is let through.
    assert "the float64 witnesses disagree: dw of layer 1" in there.gate().complaint(right(there))


def test_a_wrong_form_does_not_pass(problem: NetworkProblem, judge: Gate) -> None:
    found = right(problem)
    other = "float32" if problem.dtype == "float64" else "float64"
    assert "expected 7" in judge.complaint(found[:5])
    assert f"got {other} of shape (7, 11)" in judge.complaint(
        [found[0], found[1].astype(other), *found[2:]]
    )
    assert "of shape (11, 7)" in judge.complaint([found[0], found[1].T, *found[2:]])
    assert judge.complaint([found[0] * found[0].dtype.type(1.001), *found[1:]]).startswith(
        "the loss: got"
    )


def test_biases_keep_away_from_kinks() -> None:
    here = network_problem(NETWORK, BATCH, "float32")
    w, _ = here.params[0]
    z = here.x[0].astype(np.float64) @ w.astype(np.float64)
    at_a_kink = [Layer(w, (-z).astype(np.float32)), *here.params[1:]]
    with pytest.raises(RefusedError, match="units of a layer are within rounding of a kink"):
        replace(here, params=at_a_kink).gate()
    smooth = Network(NETWORK.sizes, activation="softplus", loss="softmax-ce")
    there = network_problem(smooth, BATCH, "float32")
    assert replace(there, params=at_a_kink).gate().doubt == ""


@pytest.mark.parametrize("dtype", DTYPES)
def test_differences_may_be_off_by_their_own_error_and_no_more(dtype: str) -> None:
    """A sign is seen, and the classic: the difference of two sides divided by one step."""
    here = sample_problem(dtype)
    judge = here.gate()
    extra = allowance(judge, here)
    assert extra[0] == 0
    wider = judge.wider(extra)
    answer = [np.asarray(leaf, dtype) for leaf in judge.reference]
    assert wider.complaint(answer) == ""
    assert wider.complaint([*answer[:3], -answer[3], *answer[4:]]).startswith("∂L/∂w3")
    twice = [answer[0], *(2 * leaf for leaf in answer[1:])]
    assert wider.complaint(twice).startswith("∂L/∂w1")


def test_a_training_is_judged_update_by_update() -> None:
    here = training_problem(5)
    judge = here.gate()
    ready = train_floats(here)
    (path,) = ready.read(ready.run())
    assert judge.complaint([path]) == ""
    assert 0 < judge.share([path]) <= 1
    off = path.copy()
    off[0, 2] *= 1 + 1e-12
    assert judge.complaint([off]).startswith("w1 in epoch 0, update 2")
    lost = path.copy()
    lost[4, 7] = np.nan
    assert judge.complaint([lost]).startswith("w5 in epoch 1, update 7")
    assert "expected (9, 20)" in judge.complaint([path[:, :-1]])
