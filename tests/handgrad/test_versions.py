"""Several versions of one gradient: one truth, the odd one out, who makes the same mistake."""

import json
import pickle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import handgrad
from handgrad import GradientMismatch, assert_gradients, compare_gradients
from tests.tiers import slowly

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


def raises(w: Any, x: Any) -> Any:
    return by_hand(w, x)["w"]


def compared(versions: Any, points: int = 1) -> handgrad.ComparisonReport:
    return compare_gradients(versions, loss, W, X, points=points)


JAX = jax.grad(loss)


def test_the_odd_one_out_is_named_and_shown_beside_the_others() -> None:
    report = compared({"numpy": by_hand, "jax": JAX, "kernel": halved})
    assert (report.verdict, report.passes, report.failing) == ("disagree", False, ("kernel",))
    assert report.headline.endswith("kernel is wrong, the odd one out; numpy and jax are right")
    with pytest.raises(GradientMismatch, match="kernel is wrong, the odd one out"):
        assert_gradients({"numpy": by_hand, "jax": JAX, "kernel": halved}, loss, W, X, points=0)
    text = str(report)
    assert "Kind: factor. In w, every element is 1/2 of exact" in " ".join(text.split())
    start = text.index("Where kernel is worst, w[")
    shown = [line.split()[0] for line in text[start:].splitlines()[2:7]]
    assert shown == ["exact", "numpy", "jax", "kernel", "autodiff"]
    assert text.endswith("Again: compare_gradients(versions, loss, w, x, points=1)")
    assert max(map(len, text.splitlines())) <= 80
    assert len(text.splitlines()) <= 24


#: Versions, which of them are off in the same way, and what the first line says.
HEADLINES: list[tuple[dict[str, Any], tuple[tuple[str, ...], ...], str]] = [
    ({"numpy": by_hand, "jax": JAX, "torch": by_hand}, (), "agree: numpy, jax and torch are all r"),
    (
        {"torch": halved, "jax": JAX, "kernel": halved_in_jax, "mine": lambda w, _: w},
        (("torch", "kernel"),),
        "disagree: torch, kernel and mine are wrong; jax alone",
    ),
]


@pytest.mark.parametrize(
    ("versions", "same", "headline"), [HEADLINES[0], *(slowly(*row) for row in HEADLINES[1:])]
)
def test_who_is_right_and_who_makes_the_same_mistake(
    versions: dict[str, Any], same: tuple[tuple[str, ...], ...], headline: str
) -> None:
    report = compared(versions)
    assert report.headline.startswith(headline)
    assert (report.verdict, report.same_mistake) == (headline.partition(":")[0], same)
    for names in same:
        assert f"{' and '.join(names)} make the same mistake" in " ".join(str(report).split())


@pytest.mark.slow
def test_one_that_raises_hides_no_other() -> None:
    report = compared({"numpy": by_hand, "torch": raises, "kernel": halved})
    assert [v.verdict for v in report.versions] == ["agree", "raised", "disagree"]
    assert "test_versions.py, line" in (report.versions[1].raised or "")
    assert report.headline.endswith("torch is not judged, since it raises; numpy alone is right")
    data = json.loads(json.dumps(report.to_dict()))
    assert (data["schema"], data["failing"]) == (1, ["torch", "kernel"])
    assert pickle.loads(pickle.dumps(report)).headline == report.headline
    assert compared({"torch": raises}).verdict == "disagree"
