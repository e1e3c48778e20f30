"""The judge's own power: which planted mistakes it would have caught at the points it had."""

import pickle
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.power import Planted, Power, exact
from handgrad.report import GradientReport
from handgrad.tolerance.runs import SHARP
from tests.corpus.rows.wrong_links import loss, right

RNG = np.random.default_rng(5)
PARAMS = {"v": RNG.normal(size=(3, 3)), "b": RNG.normal(size=3), "w": RNG.normal(size=(3, 2))}
X, Y = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 2))


@pytest.fixture(scope="module")
def ruled() -> GradientReport:
    return check_gradient(right, loss, PARAMS, X, Y, points=1)


@pytest.fixture(scope="module")
def power(ruled: GradientReport) -> Power:
    return ruled.power()


def places(power: Power, mistake: str) -> list[str]:
    return [planted.where for planted in power.planted if planted.mistake == mistake]


@pytest.mark.slow
def test_every_kind_is_planted_in_every_leaf(power: Power) -> None:
    paths = [f"p[{name!r}]" for name in sorted(PARAMS)]
    whole = ("sign", "zero", "factor 1/2", "factor 2", "factor batch size", "factor 1/batch size")
    for mistake in (*whole, "weight-decay"):
        # A link may have the wrong sign as well.
        assert [p for p in places(power, mistake) if p in paths] == paths, mistake
    assert "p['v']" in places(power, "transposed")
    assert "p['w']" not in places(power, "transposed")  # 3 by 2
    for slip in ("sign", "zero", "off by 1e-06"):
        elements = places(power, f"one element: {slip}")
        # The largest, the middle and the smallest of each of three leaves.
        assert len(elements) == 9
        assert len(set(elements)) == 9


@pytest.mark.slow
def test_mistakes_are_planted_in_the_links(power: Power) -> None:
    assert any("the derivative of tanh" in p for p in places(power, "activation-derivative"))
    assert any("through" in p or "from" in p for p in places(power, "dropped-term"))
    assert places(power, "updated-parameter") == ["all parameters"]
    assert any("not transposed" in p for p in places(power, "transposed"))


@pytest.mark.slow
def test_an_ordinary_point_shows_all_of_them(power: Power) -> None:
    assert power.points == 2
    # What makes no difference is no mistake there: x is no parameter, nothing goes back to it.
    # Nor is what the changed program rounds elsewhere than the right one.
    rounding = SHARP * np.finfo(np.float64).eps
    assert [p for p in power.missed if p.change > rounding] == []


@pytest.mark.slow
def test_what_is_said_to_be_caught_is_caught(power: Power) -> None:
    """The judge is asked again about one of them, made by hand."""
    said = {(p.mistake, p.where): p.caught for p in power.planted}

    exact = right(PARAMS, X, Y)["w"]
    i, j = np.unravel_index(np.argmax(np.abs(exact)), (3, 2))

    def off(p: Any, x: Any, y: Any) -> Any:
        grads = right(p, x, y)
        grads["w"][i, j] *= 1 + 1e-6
        return grads

    assert said["one element: off by 1e-06", f"p['w'][{i}, {j}]"]
    assert check_gradient(off, loss, PARAMS, X, Y, points=0).verdict == "disagree"


# A point that hides things: weights of 0, a unit of relu that is never on, one example.

DEAD = {"v": np.array([[1.0, -1], [2, -2]]), "w": np.array([0.0, 0.0])}
ONE = np.array([[0.5, 1.5]])


def rectified(p: Any, x: Any) -> Any:
    return jnp.sum(jnp.maximum(x @ p["v"], 0.0) @ p["w"])


def of_rectified(p: Any, x: Any) -> Any:
    z = x @ p["v"]
    dz = np.where(z > 0, p["w"], 0.0)
    return {"v": x.T @ dz, "w": np.maximum(z, 0).sum(axis=0)}


@pytest.fixture(scope="module")
def hidden() -> Power:
    return check_gradient(of_rectified, rectified, DEAD, ONE, points=0).power()


@pytest.mark.slow
def test_a_point_that_hides_things_is_told_so(hidden: Power) -> None:
    missed = {(p.mistake, p.where) for p in hidden.missed}
    # ∂L/∂v is w times something, and w is 0.
    assert {("sign", "p['v']"), ("zero", "p['v']")} <= missed
    assert ("weight-decay", "p['w']") in missed
    assert ("factor 1/batch size", "p['w']") in missed
    assert ("sign", "p['w']") not in missed
    assert all(p.change == 0 for p in hidden.missed)


@pytest.mark.slow
def test_a_slight_change_is_within_rounding() -> None:
    """In float32 a right gradient may be 64 times half of 2⁻²³ off, and that is 4e-6."""
    w = np.array([0.3, -1.7], dtype=np.float32)
    ruled = check_gradient(lambda w: 3 * w**2, lambda w: jnp.sum(w**3), w, points=0)
    slight = [p for p in ruled.power().planted if p.mistake == "one element: off by 1e-06"]
    assert len(slight) == 2
    assert not any(p.caught for p in slight)
    assert all(0 < p.change < 2e-6 for p in slight)
    assert "of an element, within rounding" in str(ruled.power())


@pytest.mark.slow
def test_how_it_reads(power: Power, hidden: Power) -> None:
    lines = str(power).splitlines()
    caught = len(power.planted) - len(power.missed)
    first = f"Of {len(power.planted)} planted mistakes {caught} would have been caught at 2 points."
    assert lines[0] == first
    (row,) = (line for line in lines if line.startswith("factor batch size"))
    assert row.split() == ["factor", "batch", "size", "3", "of", "3"]
    assert max(len(line) for line in f"{power}\n{hidden}".splitlines()) <= 80
    assert "  missed: p['v']: makes no difference at these points" in str(hidden)


def test_many_that_are_missed_are_counted() -> None:
    missed = tuple(Planted("sign", f"params[{i}]", False, 0.0) for i in range(5))
    lines = str(Power(missed, 1)).splitlines()
    assert lines[0] == "Of 5 planted mistakes 0 would have been caught at 1 point."
    assert [line[:10] for line in lines].count("  missed: ") == 3
    assert lines[-1] == "  ... and 2 more"


@pytest.mark.slow
def test_what_cannot_be_planted_is_said() -> None:
    """A loss that writes into an array has no links that JAX could show."""
    w, x = np.array([0.5, -1.0]), np.array([1.0, 2.0])

    def in_place(w: Any, x: Any) -> Any:
        h = np.tanh(w * x)
        h[0] = h[0] * 2
        return np.sum(h)

    twice = np.array([2.0, 1.0])
    report = check_gradient(lambda w, x: twice * x * (1 - np.tanh(w * x) ** 2), in_place, w, x)
    found = report.power()
    assert not any(p.mistake == "dropped-term" for p in found.planted)
    assert "None was planted in the links of the chain: JAX cannot trace the loss." in str(found)
    assert found.to_dict()["not_planted"] == found.not_planted


@pytest.mark.slow
def test_time_that_runs_out_is_said(
    ruled: GradientReport, power: Power, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "SECONDS", 0.0)
    found = exact.power(ruled.trial)
    assert len(found.planted) < len(power.planted)
    assert "time ran out" in str(found)
    assert power.not_planted == ""


def test_without_a_point_there_is_nothing_to_say() -> None:
    shapeless = check_gradient(lambda p: p[:1], lambda p: jnp.sum(p**2), np.ones(3), points=0)
    power = shapeless.power()
    assert (power.planted, power.points) == ((), 0)
    assert str(power) == "No mistake was planted: no point was judged."


def test_a_pickled_report_has_no_points(ruled: GradientReport) -> None:
    with pytest.raises(ValueError, match="a report that was pickled has no points"):
        pickle.loads(pickle.dumps(ruled)).power()
