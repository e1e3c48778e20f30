"""What is not known is not said: no diagnosis is a guess, and none costs the verdict anything."""

import json
import pickle
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import handgrad.diagnosis
import handgrad.steps.recorded
from handgrad import GradientMismatch, assert_gradient, check_gradient
from handgrad.diagnosis import diagnose, samples
from handgrad.report import GradientReport
from tests.tiers import slowly

RNG = np.random.default_rng(4)
PARAMS = {"v": RNG.normal(size=(3, 5)), "b": RNG.normal(size=5), "w": RNG.normal(size=(5, 2))}
X, Y = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 2))


def loss(p: Any, x: Any, y: Any) -> Any:
    h = jnp.tanh(x @ p["v"] + p["b"][None, :])
    return jnp.mean((h @ p["w"] - y) ** 2)


def right(p: Any, x: Any, y: Any, linear: bool = False) -> dict[str, Any]:
    h = np.tanh(x @ p["v"] + p["b"])
    dout = 2 * (h @ p["w"] - y) / y.size
    dz = dout @ p["w"].T * (1 - h if linear else 1 - h * h)
    return {"v": x.T @ dz, "b": dz.sum(axis=0), "w": h.T @ dout}


def value(p: Any, x: Any, y: Any) -> Any:
    """The loss in NumPy."""
    return np.mean((np.tanh(x @ p["v"] + p["b"]) @ p["w"] - y) ** 2)


def report(gradient: Any) -> GradientReport:
    return check_gradient(gradient, loss, PARAMS, X, Y, points=0)


def kinds(told: GradientReport) -> set[str]:
    assert told.verdict == "disagree"
    return {finding.kind for finding in told.findings} | {d.kind for d in told.diagnoses}


def test_a_right_gradient_has_no_diagnosis() -> None:
    ruled = report(right)
    assert (ruled.verdict, ruled.diagnoses) == ("agree", ())
    assert diagnose(ruled.trial) == ()


def test_lost_digits_are_no_kind_of_mistake() -> None:
    """Right in exact arithmetic; as it is computed, half of the digits cancel."""

    def lossy(p: Any, x: Any, y: Any) -> Any:
        return {name: (g + 1e8) - 1e8 for name, g in right(p, x, y).items()}

    ruled = report(lossy)
    assert (ruled.verdict, ruled.diagnoses) == ("imprecise", ())


# Outside the catalogue.


def noisy(p: Any, x: Any, y: Any) -> Any:
    """A part of each element that looks drawn, and is the same at every call."""
    return {
        name: g * (1 + 0.3 * np.sin(1e4 * p[name] + np.arange(g.size).reshape(g.shape)))
        for name, g in right(p, x, y).items()
    }


def clipped(p: Any, x: Any, y: Any) -> Any:
    return {name: np.clip(g, -0.05, 0.05) for name, g in right(p, x, y).items()}


def of_unit_length(p: Any, x: Any, y: Any) -> Any:
    grads = right(p, x, y)
    length = np.sqrt(sum((g**2).sum() for g in grads.values()))
    return {name: g / length for name, g in grads.items()}


def of_another_loss(p: Any, x: Any, y: Any) -> Any:
    """That of the mean of |out - y|."""
    h = np.tanh(x @ p["v"] + p["b"])
    dout = np.sign(h @ p["w"] - y) / y.size
    dz = dout @ p["w"].T * (1 - h * h)
    return {"v": x.T @ dz, "b": dz.sum(axis=0), "w": h.T @ dout}


def by_a_coarse_step(p: Any, x: Any, y: Any) -> Any:
    """Forward differences."""
    grads = {name: np.zeros_like(leaf) for name, leaf in p.items()}
    for name, leaf in p.items():
        for i in np.ndindex(leaf.shape):
            moved = leaf.copy()
            moved[i] += 1e-2
            grads[name][i] = (value(p | {name: moved}, x, y) - value(p, x, y)) / 1e-2
    return grads


def of_an_example_too_few(p: Any, x: Any, y: Any) -> Any:
    return right(p, x[:-1], y[:-1])


@pytest.mark.parametrize(
    "gradient",
    [
        noisy,
        slowly(of_another_loss),
        slowly(clipped),
        slowly(of_unit_length),
        slowly(by_a_coarse_step),
        slowly(of_an_example_too_few),
    ],
)
def test_what_is_outside_the_catalogue_is_unknown(gradient: Any) -> None:
    assert kinds(report(gradient)) == {"unknown"}


# Two mistakes at once, in the same numbers: neither explains them.


def linear_and_halved(p: Any, x: Any, y: Any) -> Any:
    grads = right(p, x, y, linear=True)
    return grads | {"v": grads["v"] / 2}


def linear_and_reversed(p: Any, x: Any, y: Any) -> Any:
    grads = right(p, x, y, linear=True)
    return grads | {"b": grads["b"][::-1]}


def decayed_and_noisy(p: Any, x: Any, y: Any) -> Any:
    """A decay in one leaf, and noise in another, which might hide a better reason for both."""
    grads = right(p, x, y)
    return grads | {"w": grads["w"] + 0.01 * p["w"], "b": noisy(p, x, y)["b"]}


@pytest.mark.parametrize(
    ("gradient", "accepted"),
    [
        (linear_and_halved, {"unknown", "activation-derivative", "factor"}),
        slowly(linear_and_reversed, {"unknown", "activation-derivative"}),
        slowly(decayed_and_noisy, {"unknown"}),
    ],
)
def test_two_mistakes_at_once_are_not_one_of_another_kind(
    gradient: Any, accepted: set[str]
) -> None:
    assert kinds(report(gradient)) <= accepted


def test_two_mistakes_in_two_leaves_have_their_own_names() -> None:
    def gradient(p: Any, x: Any, y: Any) -> Any:
        grads = right(p, x, y)
        return grads | {"v": -grads["v"], "w": grads["w"] / 7}

    assert [(d.kind, d.leaves) for d in report(gradient).diagnoses] == [
        ("sign", ("params['v']",)),
        ("factor", ("params['w']",)),
    ]


# What looks the same.


def symmetric(p: Any) -> Any:
    """Its gradient is a symmetric matrix at every point."""
    return jnp.sum(jnp.tanh(p + p.T) ** 2)


def of_symmetric(p: Any) -> Any:
    t = np.tanh(p + p.T)
    return 4 * t * (1 - t * t)


@pytest.mark.slow
def test_a_symmetric_matrix_is_its_transpose() -> None:
    square = (RNG.normal(size=(3, 3)),)
    transposed = check_gradient(lambda p: of_symmetric(p).T, symmetric, *square, points=0)
    assert (transposed.verdict, transposed.diagnoses) == ("agree", ())
    negative = check_gradient(lambda p: -of_symmetric(p).T, symmetric, *square, points=0)
    assert [d.kind for d in negative.diagnoses] == ["sign"]


@pytest.mark.slow
def test_2_is_2_whatever_else_it_may_be() -> None:
    """With two examples of two outputs nobody knows which of them was forgotten."""

    def squares(w: Any, x: Any, y: Any) -> Any:
        return jnp.mean((jnp.tanh(x @ w) - y) ** 2)

    def doubled(w: Any, x: Any, y: Any) -> Any:
        h = np.tanh(x @ w)
        return 2 * x.T @ (2 * (h - y) / y.size * (1 - h * h))

    point = (RNG.normal(size=(3, 2)), RNG.normal(size=(2, 3)), RNG.normal(size=(2, 2)))
    (told,) = check_gradient(doubled, squares, *point, points=0).diagnoses
    assert told.kind == "factor"
    assert "2 times exact (2 is also " in told.says


@pytest.mark.slow
def test_one_number_may_lack_an_input_as_well_as_a_factor() -> None:
    """Inputs are the same at all points: dw without its x is 1/x of exact, and no factor."""

    def square(w: Any, x: Any) -> Any:
        return (jnp.tanh(w * x) - 1) ** 2

    def lacking(w: Any, x: Any) -> Any:
        h = np.tanh(w * x)
        return 2 * (h - 1) * (1 - h * h)

    told = check_gradient(lacking, square, np.array(0.3), np.array(1.7), points=0)
    assert kinds(told) == {"unknown"}


@pytest.mark.slow
def test_equal_lengths_do_not_make_an_exchange() -> None:
    """A sum over the wrong axis of 3 by 3 has the right shape, and is not an order of elements."""

    def squares(p: Any, x: Any, y: Any) -> Any:
        return jnp.mean((jnp.tanh(x @ p["w"] + p["b"][None, :]) - y) ** 2)

    def summed(p: Any, x: Any, y: Any) -> Any:
        h = np.tanh(x @ p["w"] + p["b"])
        dz = 2 * (h - y) / y.size * (1 - h * h)
        return {"w": x.T @ dz, "b": dz.sum(axis=1)}

    params = {"w": RNG.normal(size=(3, 3)), "b": RNG.normal(size=3)}
    point = (params, RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3)))
    assert kinds(check_gradient(summed, squares, *point, points=0)) <= {"unknown", "axis"}


@pytest.mark.slow
def test_rounding_in_single_precision_is_not_read_as_a_kind() -> None:
    """A wrong formula whose gap is within what float32 rounds nearly everywhere."""

    def squares(w: Any) -> Any:
        return jnp.sum(w**2)

    def slightly_off(w: Any) -> Any:
        # Four hundred times the spacing of these numbers: of such a gap two digits are left.
        return (2 * w * (1 + np.float32(5e-5) * np.cos(3 * w))).astype(np.float32)

    w = np.array([0.3, -1.7, 0.9], dtype=np.float32)
    told = check_gradient(slightly_off, squares, w, points=0)
    assert kinds(told) == {"unknown"}


# What it costs.


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was worked out, in order, once for each time."""
    found: list[str] = []
    for module, name in ((handgrad.diagnosis, "diagnose"), (handgrad.steps.recorded, "steps")):
        original = getattr(module, name)

        def noted(*args: Any, _name: str = name, _original: Any = original) -> Any:
            found.append(_name)
            return _original(*args)

        monkeypatch.setattr(module, name, noted)
    return found


def wrong(p: Any, x: Any, y: Any) -> Any:
    return {name: -g for name, g in right(p, x, y).items()}


def test_a_verdict_costs_no_diagnosis(asked: list[str]) -> None:
    ruled = report(wrong)
    assert (ruled.verdict, ruled.blame, ruled.passes) == ("disagree", "yours", False)
    assert ruled.headline
    assert ruled.observed
    assert repr(ruled)
    assert pickle.dumps(ruled)
    with pytest.raises(GradientMismatch):
        assert_gradient(wrong, loss, PARAMS, X, Y, points=0)
    assert asked == []


def test_a_diagnosis_is_made_once(asked: list[str]) -> None:
    ruled = report(wrong)
    first = ruled.diagnoses
    assert (asked, [d.kind for d in first]) == (["diagnose"], ["sign"])
    texts = [str(ruled), str(ruled), ruled._repr_html_()]
    assert all("sign" in text for text in texts)
    assert ruled.diagnoses is first
    assert asked == ["diagnose", "steps"]


def test_a_right_gradient_is_never_asked_about(asked: list[str]) -> None:
    ruled = report(right)
    assert (ruled.diagnoses, ruled.steps, ruled.counterexample) == ((), None, None)
    assert str(ruled)
    assert ruled.to_dict()["diagnoses"] == []
    assert asked == []


def test_what_breaks_in_a_diagnosis_does_not_reach_the_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def breaks(*_: Any) -> Any:
        raise RuntimeError("a program that nobody thought of")

    monkeypatch.setattr(samples, "engine", breaks)
    assert kinds(report(noisy)) == {"unknown"}


def test_a_pickled_report_keeps_what_was_worked_out() -> None:
    ruled = report(wrong)
    before = pickle.loads(pickle.dumps(ruled))
    assert (before.verdict, before.headline, before.diagnoses) == ("disagree", ruled.headline, ())
    told = ruled.diagnoses
    after = pickle.loads(pickle.dumps(ruled))
    assert (after.diagnoses, after.trial) == (told, None)
    assert [finding.kind for finding in after.findings] == ["sign"] * 3
    assert str(after).splitlines()[0] == str(ruled).splitlines()[0]


def test_diagnoses_are_json() -> None:
    ruled = report(wrong)
    answer = json.loads(json.dumps(ruled.to_dict(), allow_nan=False))
    assert answer["diagnoses"] == [
        {
            "kind": "sign",
            "says": ruled.diagnoses[0].says,
            "leaves": ["params['b']", "params['v']", "params['w']"],
        }
    ]
    assert {finding["kind"] for finding in answer["findings"]} == {"sign"}
    assert answer["guilty_step"] is None
