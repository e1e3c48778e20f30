"""Right gradients at points that could not have shown a mistake, which is said there alone."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad import check_backward, check_gradient, check_jacobian
from models.zoo import MODELS as ZOO
from tests.corpus.case import Case, Row, cases

RNG = np.random.default_rng(6)
PARAMS = {"v": RNG.normal(size=(3, 5)), "b": RNG.normal(size=5), "w": RNG.normal(size=(5, 2))}
X, Y = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 2))
NO_WEIGHTS = PARAMS | {"w": 0 * PARAMS["w"]}
OFF = PARAMS | {"b": PARAMS["b"] - np.array([0, 100.0, 0, 0, 0])}


def network(p: Any, x: Any, y: Any) -> Any:
    h = jnp.maximum(x @ p["v"] + p["b"][None, :], 0.0)
    return jnp.mean((h @ p["w"] - y) ** 2)


def of_pairs(w: Any, x: Any, y: Any) -> Any:
    return jnp.mean((x @ x.T @ y * w) ** 2)


def of_a_alone(p: Any) -> Any:
    return p["a"] ** 2 + 0.0 * p["b"]


def picked(p: Any, x: Any) -> Any:
    """A weight between units that are never on together, in a table where others live."""
    return jnp.sum((x * p)[jnp.array([0, 1, 1]), jnp.array([0, 0, 1])] ** 2)


def outputs(p: Any, x: Any) -> Any:
    return jnp.tanh(x @ p["v"]) @ p["w"]


def squared_as_well(p: Any, x: Any) -> Any:
    return jnp.sum(outputs(p, x)) + jnp.sum(outputs(p, x) ** 2)


def masked(z: Any) -> Any:
    return z * (z > 0), z > 0


def two(x: Any, v: Any) -> Any:
    return (x @ v, 2 * x), (x, v)


def two_back(d: Any, kept: Any) -> Any:
    x, v = kept
    return d[0] @ v.T + 2 * d[1], x.T @ d[0]


FIXED: Any = {"cotangent": (np.ones((7, 5)), np.zeros((7, 3))), "points": 0}


def causal(p: Any) -> Any:
    scores = jnp.where(np.tri(5, dtype=bool), p["s"], -1e30)
    return jnp.sum(jax.nn.softmax(scores) * jnp.arange(25.0).reshape(5, 5) ** 2)


def hidden(
    what: str, loss: Any, *at: Any, says: Any = (), never: Any = (), points: int = 0
) -> list[Case]:
    made = cases(f"hidden, {what}", check_gradient, loss, *at, points=points)
    return made(Row("right", jax.grad(loss), *says, never=never, verdict="agree"))


ADDS, DEAD, ONE = ("the loss adds up its outputs",), ("dead units?",), ("one example: ",)
ZERO = ("p['w'] is 0 at every point: terms that it is a factor of cannot show",)
LENGTHS = ("equal lengths: the batch and an axis of p['w'] are both 2 long",)
WIDE = ("equal lengths: ", "an axis of an input are both 3 long")
UNIT = tuple(
    f"p[{leaf} derivatives are 0" for leaf in ("'b']: 1 of 5", "'v']: 3 of 15", "'w']: 2 of 10")
)
A_AND_B = {"a": np.array(1.0), "b": np.array(1.0)}

#: None of their lengths are equal.
ORDINARY = ("softmax-regression", "rosenbrock", "convolution", "attention")


CASES = [
    *hidden("weights that are 0", network, NO_WEIGHTS, X, Y, says=ZERO),
    *hidden("weights of 0 once", network, NO_WEIGHTS, X, Y, points=1, never=ZERO),
    *hidden("one example", network, PARAMS, X[:1], Y[:1], says=ONE),
    *hidden("two examples", network, PARAMS, X[:2], Y[:2], says=LENGTHS, never=ONE),
    *hidden("rows as columns", of_pairs, np.array(0.5), X[:3], Y[:3, 0], says=WIDE),
    *hidden("a unit that is off", network, OFF, X, Y, says=DEAD + UNIT, never=ADDS),
    *hidden("a unit that is off once", network, OFF, X, Y, points=4, never=DEAD),
    *hidden("b does not count", of_a_alone, A_AND_B, says=("p['b']: its derivative is 0 at",)),
    *hidden("a single 0", picked, X[:2, :2], Y[:2], never=DEAD),
    *hidden("a sum", lambda p, x: jnp.sum(outputs(p, x)), OFF, X, says=ADDS),
    *hidden("a mean", lambda p, x: 3 * jnp.mean(outputs(p, x).T), OFF, X, says=ADDS),
    *hidden("a sum of one", lambda p, x: jnp.sum(outputs(p, x)), OFF, X[:1], says=ADDS),
    *hidden("weighed", lambda p, x, c: jnp.sum(outputs(p, x) * c), OFF, X, Y, never=ADDS),
    *hidden("squared", squared_as_well, OFF, X, never=ADDS),
    # A causal mask leaves one score of the first row, and the derivative 0.
    *hidden("a causal mask", causal, {"s": np.cos(np.arange(25.0)).reshape(5, 5)}, never=DEAD),
    *cases("a Jacobian at 0", check_jacobian, lambda x: x * x, np.zeros(3), points=0)(
        Row("right", lambda x: np.diag(2 * x), "x is 0 at every point"),
    ),
    # The inputs of a step hold examples: what a mask stops at one of them is no dead unit.
    *cases("a cotangent of ones and one of zeros", check_backward, two, X, PARAMS["v"], **FIXED)(
        Row(
            "right",
            two_back,
            "cotangent[0] has equal numbers: what is mixed up",
            "cotangent[1] is 0: what it is a factor of",
            verdict="agree",
        )
    ),
    *cases("a cotangent at random", check_backward, two, X, PARAMS["v"], points=0)(
        Row("right", two_back, never=["cotangent"], verdict="agree")
    ),
    *cases("a mask", check_backward, masked, np.tile([1.0, -1.0, 1.0], (7, 1)), points=0)(
        Row("right", lambda da, on: da * on, never=DEAD),
    ),
    *cases("a factor of 0", check_gradient, lambda w, x: w @ x, np.zeros(2), np.ones(2), points=0)(
        Row("the other sign", lambda w, x: -x, never=("cannot show", "adds up")),
    ),
]
for model in ZOO:
    if model.name in ORDINARY:
        at = model.draw(np.random.default_rng(0))
        made = cases(
            f"an ordinary point, {model.name}", check_gradient, model.function, *at, points=1
        )
        CASES += made(Row("right", model.by_hand, never=("Warning",)))
