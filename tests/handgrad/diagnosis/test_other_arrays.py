"""Another array of the loss in place of the right one, and statistics over other axes."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.data.point import point_at
from handgrad.diagnosis.engine import engine
from handgrad.diagnosis.operand_links import Operand
from tests.tiers import one_of_each, slowly

pytestmark = pytest.mark.usefixtures("hurried")

RNG = np.random.default_rng(6)
X, W, C = RNG.normal(size=(3, 5)), RNG.normal(size=(1, 5)), RNG.normal(size=(3, 5))
G = RNG.normal(size=(2, 3, 4))
SEEN = np.tri(3, 5, 2, dtype=bool)


def normalised(x: Any, w: Any, c: Any) -> Any:
    rms = jnp.sqrt(jnp.mean(x**2, axis=1, keepdims=True))
    return jnp.sum(c * jnp.sin(w * (x / rms)))


def normalised_by_hand(x: Any, w: Any, c: Any, taken: Any = None) -> Any:
    rms = np.sqrt(np.mean(x**2, axis=1, keepdims=True))
    xhat = x / rms
    dy = c * np.cos(w * xhat)
    dxhat = dy * w
    along = (dxhat * xhat).mean(axis=1, keepdims=True)
    dw = (dy * (x if taken == "x" else xhat)).sum(axis=0, keepdims=True)
    return {"x": (dxhat - xhat * along) / rms, "w": dw}


def of_both(p: Any, c: Any) -> Any:
    return normalised(p["x"], p["w"], c)


def gated(p: Any, c: Any) -> Any:
    gate = jax.nn.sigmoid(p["s"])
    return jnp.sum(c * (gate * jnp.tanh(p["x"]) + gate * gate * p["x"]))


def gated_by_hand(p: Any, c: Any) -> Any:
    """`x` itself in place of tanh x."""
    s, x = p["s"], p["x"]
    gate = 1 / (1 + np.exp(-s))
    dgate = c * (x + 2 * gate * x)
    return {
        "s": dgate * gate * (1 - gate),
        "x": c * (gate * (1 - np.tanh(x) ** 2) + gate**2),
    }


def centred(x: Any, c: Any) -> Any:
    mean = jnp.mean(x, axis=2, keepdims=True)
    z = x - mean
    return jnp.sum(c * z / jnp.sqrt(jnp.mean(z**2, axis=2, keepdims=True)))


def centred_by_hand(x: Any, c: Any, axes: Any = 2) -> Any:
    z = x - x.mean(axis=2, keepdims=True)
    sigma = np.sqrt((z**2).mean(axis=2, keepdims=True))
    zhat = z / sigma
    along = (c * zhat).mean(axis=axes, keepdims=True)
    return (c - c.mean(axis=axes, keepdims=True) - zhat * along) / sigma


def mixed(x: Any, c: Any) -> Any:
    """Statistics in float32, as in training with mixed precision."""
    return centred(x.astype("float32"), c.astype("float32")).astype(x.dtype)


def attended(x: Any, c: Any) -> Any:
    # What comes later is masked by -inf, and 0 in place of the divisor must harm no other theory.
    scores = jnp.where(SEEN, x, -jnp.inf)
    p = jnp.exp(scores - jax.scipy.special.logsumexp(scores, axis=1, keepdims=True))
    return jnp.sum(p * c / (1 + c * c))


def attended_by_hand(x: Any, c: Any, axis: int = 1) -> Any:
    p = np.where(SEEN, np.exp(x), 0.0)
    p = p / p.sum(axis=1, keepdims=True)
    g = c / (1 + c * c)
    return p * (g - (p * g).sum(axis=axis, keepdims=True))


BOTH = {"x": X, "w": W}
#: By what is done wrong: the loss, the gradient, the point, the kind, and a part of the sentence.
MISTAKES: dict[str, tuple[Any, Any, tuple[Any, ...], str, str]] = {
    "x for x/rms": (
        *(of_both, lambda p, c: normalised_by_hand(**p, c=c, taken="x"), (BOTH, C), "operand"),
        "takes p['x'] in place of",
    ),
    "x for tanh x": (
        *(gated, gated_by_hand, ({"s": X, "x": 2 * C}, C), "operand"),
        "takes p['x'] in place of tanh",
    ),
    "of all": (
        *(centred, lambda x, c: centred_by_hand(x, c, (1, 2)), (G, G[::-1] ** 2), "axis"),
        "is summed over axes 1, 2 of its array",
    ),
    "in float32": (
        *(mixed, lambda x, c: centred_by_hand(x, c, (1, 2)), (G, G[::-1] ** 2), "axis"),
        "is summed over axes 1, 2 of its array",
    ),
    "over rows": (
        *(attended, lambda x, c: attended_by_hand(x, c, 0), (X, C), "axis"),
        "is summed over axis 0 of its array",
    ),
}


@pytest.mark.parametrize("name", one_of_each(MISTAKES, ["x for x/rms"]))
def test_it_is_called_what_it_is(name: str) -> None:
    loss, gradient, point, kind, says = MISTAKES[name]
    report = check_gradient(gradient, loss, *point, points=1)
    assert report.verdict == "disagree"
    assert {found.kind for found in report.findings if found.kind != "rounding"} == {kind}
    assert says in " ".join(found.says for found in report.diagnoses)


@pytest.mark.parametrize(
    ("loss", "hand", "point"),
    [
        (of_both, lambda p, c: normalised_by_hand(**p, c=c), (BOTH, C)),
        (centred, centred_by_hand, (G, G[::-1] ** 2)),
        slowly(attended, attended_by_hand, (X, C)),
    ],
)
def test_by_hand_it_is_right(loss: Any, hand: Any, point: Any) -> None:
    assert check_gradient(hand, loss, *point, points=0).verdict == "agree"


def test_what_would_divide_by_0_harms_no_other_choice() -> None:
    """Of the divisor of w / d and of w * d; w in place of the first is 0 in an element."""
    w, d = np.array([0.0, 1.0, 2.0]), np.array([3.0, 4.0, 5.0])
    given = point_at(w, (d,))
    run = engine(lambda w, d: jnp.sum(w / d + jnp.sin(w) * d), given)
    ((i, found),) = (
        (i, s)
        for i, s in enumerate(run.rewired.switches)
        if isinstance(s, Operand) and s.node.name == "mul" and s.taken == 1
    )
    option = found.instead.index(0) + 1
    np.testing.assert_allclose(run.changed(given, choice={i: option}), 1 / d + np.cos(w) * w)
