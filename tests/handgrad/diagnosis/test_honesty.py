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
from handgrad.diagnosis import in_time, samples
from handgrad.report import GradientReport
from tests.handgrad.diagnosis.network import NETWORK, PARAMS, X, Y, linear, loss, right

pytestmark = pytest.mark.usefixtures("hurried")


def report(gradient: Any) -> GradientReport:
    return check_gradient(gradient, loss, *NETWORK, points=0)


def kinds(told: GradientReport) -> set[str]:
    assert told.verdict == "disagree"
    return {finding.kind for finding in told.findings} | {d.kind for d in told.diagnoses}


@pytest.mark.slow
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


def by_a_coarse_step(p: Any, x: Any, y: Any) -> Any:
    """Forward differences."""

    def value(p: Any) -> Any:
        return np.mean((np.tanh(x @ p["v"] + p["b"]) @ p["w"] - y) ** 2)

    grads = {name: np.zeros_like(leaf) for name, leaf in p.items()}
    for name, leaf in p.items():
        for i in np.ndindex(leaf.shape):
            moved = leaf.copy()
            moved[i] += 1e-2
            grads[name][i] = (value(p | {name: moved}) - value(p)) / 1e-2
    return grads


# Two mistakes at once, in the same numbers: neither explains them alone.


def linear_and_halved(p: Any, x: Any, y: Any) -> Any:
    grads = linear(p, x, y)
    return grads | {"v": grads["v"] / 2}


# What looks the same in small losses.


def of_one_number(w: Any, x: Any) -> Any:
    return (jnp.tanh(w * x) - 1) ** 2


def lacking_an_input(w: Any, x: Any) -> Any:
    """Inputs are the same at all points: dw without its x is 1/x of exact, and no factor."""
    h = np.tanh(w * x)
    return 2 * (h - 1) * (1 - h * h)


def slightly_off(w: Any) -> Any:
    """Four hundred times the spacing of these numbers: of such a gap two digits are left."""
    return (2 * w * (1 + np.float32(5e-5) * np.cos(3 * w))).astype(np.float32)


SINGLE = (np.array([0.3, -1.7, 0.9], dtype=np.float32),)

#: A gradient, its loss, a point, and the kinds that a diagnosis may name beside `unknown`.
SAID: dict[str, tuple[Any, Any, Any, set[str]]] = {
    "noisy": (noisy, loss, NETWORK, set()),
    "by a coarse step": (by_a_coarse_step, loss, NETWORK, set()),
    "1 - h and halved": (linear_and_halved, loss, NETWORK, {"activation-derivative", "factor"}),
    "one number": (lacking_an_input, of_one_number, (np.array(0.3), np.array(1.7)), set()),
    # float16 would round as much at that one point, which the report says as well.
    "rounding of float32": (slightly_off, lambda w: jnp.sum(w**2), SINGLE, {"rounding"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SAID)
def test_what_is_outside_the_catalogue_is_unknown(name: str) -> None:
    gradient, loss, point, accepted = SAID[name]
    assert kinds(check_gradient(gradient, loss, *point, points=0)) <= {"unknown"} | accepted


# What it costs.


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was worked out, in order, once for each time."""
    found: list[str] = []
    for module, name in ((in_time, "diagnosed"), (handgrad.steps.recorded, "steps")):
        original = getattr(module, name)

        def noted(*args: Any, _name: str = name, _original: Any = original) -> Any:
            found.append(_name)
            return _original(*args)

        monkeypatch.setattr(module, name, noted)
    return found


def wrong(p: Any, x: Any, y: Any) -> Any:
    return {name: -g for name, g in right(p, x, y).items()}


def test_a_verdict_costs_no_diagnosis_and_a_diagnosis_is_made_once(asked: list[str]) -> None:
    ruled = report(wrong)
    assert (ruled.verdict, ruled.blame, ruled.passes) == ("disagree", "yours", False)
    assert ruled.headline
    assert ruled.observed
    assert repr(ruled)
    assert pickle.dumps(ruled)
    with pytest.raises(GradientMismatch):
        assert_gradient(wrong, loss, PARAMS, X, Y, points=0)
    assert asked == []
    first = ruled.diagnoses
    assert (asked, [d.kind for d in first]) == (["diagnosed"], ["sign"])
    texts = [str(ruled), str(ruled), ruled._repr_html_()]
    assert all("sign" in text for text in texts)
    assert ruled.diagnoses is first
    assert asked == ["diagnosed", "steps"]


def test_what_is_right_has_no_diagnosis(asked: list[str]) -> None:
    ruled = report(right)
    assert (ruled.diagnoses, ruled.steps, ruled.counterexample) == ((), None, None)
    assert str(ruled)
    assert asked == []
    assert in_time.diagnosed(ruled.trial).diagnoses == ()


def test_what_breaks_in_a_diagnosis_does_not_reach_the_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def breaks(*_: Any) -> Any:
        raise RuntimeError("a program that nobody thought of")

    monkeypatch.setattr(samples, "engine", breaks)
    assert kinds(report(noisy)) == {"unknown"}


def test_a_report_keeps_what_was_worked_out_when_pickled_and_as_json() -> None:
    ruled = report(wrong)
    before = pickle.loads(pickle.dumps(ruled))
    assert (before.verdict, before.headline, before.diagnoses) == ("disagree", ruled.headline, ())
    told = ruled.diagnoses
    after = pickle.loads(pickle.dumps(ruled))
    assert (after.diagnoses, after.trial) == (told, None)
    assert [finding.kind for finding in after.findings] == ["sign"] * 3
    assert str(after).splitlines()[0] == str(ruled).splitlines()[0]
    answer = json.loads(json.dumps(ruled.to_dict(), allow_nan=False))
    paths = ["p['b']", "p['v']", "p['w']"]
    assert answer["diagnoses"] == [{"kind": "sign", "says": told[0].says, "leaves": paths}]
    assert {finding["kind"] for finding in answer["findings"]} == {"sign"}
    assert answer["wrong_step"] is None


@pytest.mark.slow
def test_two_mistakes_in_two_leaves_have_their_own_names() -> None:
    def gradient(p: Any, x: Any, y: Any) -> Any:
        grads = right(p, x, y)
        return grads | {"v": -grads["v"], "w": grads["w"] / 7}

    assert [(d.kind, d.leaves) for d in report(gradient).diagnoses] == [
        ("sign", ("p['v']",)),
        ("factor", ("p['w']",)),
    ]
