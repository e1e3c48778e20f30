"""Several versions of one gradient: one truth, the odd one out, who makes the same mistake."""

import json
import pickle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import handgrad
from handgrad import (
    CheckInterrupted,
    GradientMismatch,
    assert_gradients,
    check_gradient,
    compare_gradients,
)
from handgrad.oracle import shared

W = np.array([[0.3, -0.7], [1.2, 0.5], [-0.4, 0.9]])
X = np.random.default_rng(0).standard_normal((5, 3))


def loss(w: Any, x: Any) -> Any:
    return jnp.sum(jnp.tanh(x @ w) ** 2)


def by_hand(w: Any, x: Any) -> Any:
    a = np.tanh(x @ w)
    return x.T @ (2 * a * (1 - a * a))


def halved(w: Any, x: Any) -> Any:
    return by_hand(w, x) / 2


def halved_in_jax(w: Any, x: Any) -> Any:
    return 0.5 * jax.grad(loss)(w, x)


def linear(w: Any, x: Any) -> Any:
    a = np.tanh(x @ w)
    return x.T @ (2 * a * (1 - a))


def raises(w: Any, x: Any) -> Any:
    return by_hand(w, x)["w"]


def compared(versions: Any, **options: Any) -> handgrad.ComparisonReport:
    settings: dict[str, Any] = {"points": 1} | options
    return compare_gradients(versions, loss, W, X, **settings)


JAX = jax.grad(loss)


def test_the_odd_one_out_is_named_and_shown_beside_the_others() -> None:
    report = compared({"numpy": by_hand, "jax": JAX, "kernel": halved})
    assert (report.verdict, report.passes, report.failing) == ("disagree", False, ("kernel",))
    assert report.headline == (
        "disagree: kernel is wrong, the odd one out; numpy and jax are right"
    )
    text = str(report)
    assert "Kind: factor. In w, every element is 1/2 of exact" in " ".join(text.split())
    start = text.index("Where kernel is worst, w[")
    assert [line.split()[0] for line in text[start:].splitlines()[2:7]] == [
        "exact",
        "numpy",
        "jax",
        "kernel",
        "autodiff",
    ]
    assert text.endswith("Again: compare_gradients(versions, loss, w, x, points=1)")
    assert max(map(len, text.splitlines())) <= 80
    assert len(text.splitlines()) <= 24


@pytest.mark.slow
def test_each_is_judged_as_alone() -> None:
    report = compared({"numpy": by_hand, "kernel": halved})
    assert list(report) == ["numpy", "kernel"]
    for name, gradient in (("numpy", by_hand), ("kernel", halved)):
        alone = check_gradient(gradient, loss, W, X, points=1)
        assert report[name].leaves == alone.leaves
        assert (report[name].verdict, report[name].points) == (alone.verdict, 2)


def test_the_truth_is_certified_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    certify = shared.certify
    monkeypatch.setattr(shared, "certify", lambda *a: made.append(1) or certify(*a))
    x = X + 1e-3  # which no other test has
    report = compare_gradients({"a": by_hand, "b": halved, "c": linear}, loss, W, x, points=3)
    assert {each.points for each in report.reports} == {4}
    assert len(made) == 4


def test_right_versions_may_differ_from_each_other() -> None:
    report = compared({"numpy": by_hand, "jax": JAX, "torch": by_hand})
    assert report
    assert report.headline == "agree: numpy, jax and torch are all right"
    assert "as right gradients may:" in str(report)
    assert "Warning" not in str(report)


@pytest.mark.slow
def test_the_same_mistake_is_told() -> None:
    report = compared({"torch": halved, "jax": JAX, "kernel": halved_in_jax, "mine": linear})
    assert report.same_mistake == (("torch", "kernel"),)
    text = " ".join(str(report).split())
    assert "torch and kernel make the same mistake: every element is 1/2 of exact" in text
    assert report.headline.startswith("disagree: torch, kernel and mine are wrong; jax alone")
    both = compared({"torch": halved, "kernel": halved_in_jax})
    assert both.headline == "disagree: torch and kernel are wrong in the same way"
    bare = compared({"a": lambda w, _: w[0], "b": lambda w, _: w[0], "c": lambda w, _: w[1, 0]})
    assert bare.same_mistake == (("a", "b"),)


@pytest.mark.slow
def test_versions_that_are_nearly_the_same_make_two_mistakes() -> None:
    report = compared({"a": halved, "b": lambda w, x: by_hand(w, x) / (2 + 1e-6)})
    assert report.same_mistake == ()


@pytest.mark.slow
def test_one_that_raises_hides_no_other() -> None:
    report = compared({"numpy": by_hand, "torch": raises, "kernel": halved})
    assert [v.verdict for v in report.versions] == ["agree", "raised", "disagree"]
    assert "IndexError: only integers" in str(report)
    assert "test_versions.py, line" in (report.versions[1].raised or "")
    assert report.headline.endswith("torch is not judged, since it raises; numpy alone is right")
    with pytest.raises(KeyError, match="'torch' has no report, since it raised IndexError"):
        report["torch"]
    with pytest.raises(KeyError, match="no version 'x'; expected one of 'numpy', 'torch'"):
        report["x"]
    alone = compared({"torch": raises})
    assert (alone.verdict, bool(alone)) == ("disagree", False)


@pytest.mark.slow
def test_sums_in_another_order_are_told_in_the_row() -> None:
    rng = np.random.default_rng(0)

    def atomic(w: Any, x: Any) -> Any:
        a = np.tanh(x @ w)
        d = 2 * a * (1 - a * a)
        return sum((x[i][:, None] * d[i] for i in rng.permutation(len(x))), np.zeros(w.shape))

    text = " ".join(str(compared({"numpy": by_hand, "kernel": atomic})).split())
    assert "varies: 34 calls differ by up to" in text
    assert "rounding explains up to" in text


@pytest.mark.slow
def test_undecidable_and_imprecise_versions() -> None:
    def short(w: Any, x: Any) -> Any:
        return by_hand(w, x).astype(np.float32)

    report = compared({"numpy": by_hand, "short": short})
    assert (report.verdict, bool(report)) == ("imprecise", True)
    assert report.headline.endswith("numpy and short are both right; digits are lost in short")
    strict = compared({"numpy": by_hand, "short": short}, strict=True)
    assert strict.headline.startswith("imprecise: short is imprecise; numpy is right")
    none = compare_gradients({"a": lambda w: w}, lambda w: jnp.sum(jnp.log(w)), -W, points=0)
    assert none.headline == "undecidable: a is undecidable: the loss is nan at this point"


def test_the_report_as_data() -> None:
    report = compared({"numpy": by_hand, "torch": raises})
    data = json.loads(json.dumps(report.to_dict()))
    assert (data["schema"], data["failing"]) == (1, ["torch"])
    first, second = data["versions"]
    assert first["report"] == json.loads(json.dumps(report["numpy"].to_dict()))
    assert (second["report"], second["verdict"]) == (None, "raised")
    assert repr(report) == "<ComparisonReport: disagree, numpy agree, torch raised>"
    again = pickle.loads(pickle.dumps(report))
    assert again.headline == report.headline
    assert again.headline in str(again)
    assert "torch" in report._repr_html_()


@pytest.mark.slow
def test_the_assertion_fails_with_the_report() -> None:
    assert_gradients({"numpy": by_hand, "jax": JAX}, loss, W, X, points=0)
    with pytest.raises(GradientMismatch, match="kernel is wrong, the odd one out"):
        assert_gradients({"numpy": by_hand, "jax": JAX, "kernel": halved}, loss, W, X, points=0)


@pytest.mark.parametrize(
    ("versions", "error", "says"),
    [
        (
            {},
            ValueError,
            "versions: got an empty dict, expected a dict of functions by their names",
        ),
        ([by_hand], TypeError, r"versions: got \[<function by_hand"),
        ({1: by_hand}, TypeError, "versions: got the name 1, expected"),
        ({"a\nb": by_hand}, ValueError, r"versions: got the name .a\\nb., expected one that fits"),
        ({"a": 3}, TypeError, r"versions\['a'\]: got 3, expected a function"),
    ],
)
def test_what_are_no_versions(versions: Any, error: Any, says: str) -> None:
    with pytest.raises(error, match=says):
        compared(versions)


@pytest.mark.parametrize(
    ("options", "says"),
    [({"points": "a"}, "points: got 'a'"), ({"points": [3]}, r"points\[0\]: got 3"),
     ({"seed": -1}, "seed: got -1"), ({"seconds": 0}, "seconds: got 0")],
)  # fmt: skip
def test_bad_options_are_no_versions_fault(options: Any, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        compared({"a": by_hand}, **options)


@pytest.mark.slow
def test_each_version_may_state_what_it_computes_in() -> None:
    def short(w: Any, x: Any) -> Any:
        w, x = (jnp.asarray(a, jnp.bfloat16) for a in (w, x))
        return jax.grad(loss)(w, x).astype(jnp.float32)

    point = [a.astype(np.float32) for a in (W, X)]
    versions = {"jax": JAX, "kernel": short}
    plain = compare_gradients(versions, loss, *point, points=1)
    assert (plain["jax"].verdict, plain["kernel"].verdict) == ("agree", "imprecise")
    stated = compare_gradients(versions, loss, *point, points=1, computed_in={"kernel": "bfloat16"})
    assert stated.verdict == "agree"
    off = {"jax": lambda w, x: JAX(w, x) * (1 + 1e-3), "kernel": short}
    exact = compare_gradients(off, loss, *point, points=1, computed_in={"kernel": "bfloat16"})
    assert exact.failing == ("jax",)
    with pytest.raises(ValueError, match="computed_in: got the name 'x', expected one of 'jax'"):
        compare_gradients(versions, loss, *point, computed_in={"x": "bfloat16"})
    with pytest.raises(ValueError, match="computed_in: got 'int8', expected a format"):
        compare_gradients(versions, loss, *point, computed_in={"jax": "int8"})


def test_the_loss_is_no_versions_fault() -> None:
    with pytest.raises(TypeError, match="loss: got float64"):
        compare_gradients({"a": by_hand}, lambda w: w, W)
    with pytest.raises(ZeroDivisionError):
        compare_gradients({"a": by_hand}, lambda w: 1 / 0, W)


def test_an_interrupt_keeps_what_was_judged() -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(CheckInterrupted) as caught:
        compared({"numpy": by_hand, "kernel": interrupted, "jax": JAX})
    assert list(caught.value.report) == ["numpy"]
    with pytest.raises(KeyboardInterrupt) as early:
        compared({"kernel": interrupted})
    assert not isinstance(early.value, CheckInterrupted)
