"""The quick look along random directions: what it says and catches, and what it cannot show."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad import check_gradient
from tests.corpus.case import RAISED, Row, cases

X, Y = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]]), np.array([1.0, 0.0, 2.0])
AT = {"w": np.array([0.5, -1.0]), "b": np.float64(0.25)}, X, Y
MIXED = {"w": np.array([0.5, -1.0], np.float32), "b": np.float64(0.25)}, X, Y


def loss(params: Any, x: Any, y: Any) -> Any:
    return jnp.mean((x @ params["w"] + params["b"] - y) ** 2)


def in_numpy(params: Any, x: Any, y: Any) -> Any:
    residual = x @ params["w"] + params["b"] - y
    return float(np.mean(residual**2)) if residual.dtype == float else np.mean(residual**2)


def in_double(params: Any, x: Any, y: Any) -> Any:
    return loss({"w": params["w"].astype(jnp.float64), "b": params["b"]}, x, y)


def gradient(params: Any, x: Any, y: Any) -> Any:
    residual = x @ params["w"] + params["b"] - y
    return {"w": 2 * x.T @ residual / len(y), "b": np.float64(2 * residual.mean())}


def slip(**by: Any) -> Any:
    """Of 1e-9, in some elements."""

    def wrong(*at: Any) -> Any:
        grads = gradient(*at)
        return {k: grads[k] * (1 + 1e-9 * np.array(by.get(k, 0.0))) for k in grads}

    return wrong


def lossy(*at: Any) -> Any:
    return jax.tree_util.tree_map(lambda g: (g + 1e7) - 1e7, gradient(*at))


def mixed(*at: Any, factor: float = 1.0) -> Any:
    grads = gradient(*at)
    return {"w": np.float32(factor) * grads["w"].astype(np.float32), "b": grads["b"]}


# A kink, beside which every slope of an interval is right along a direction.

KINK = np.array([0.0, 0.7, -0.4])


def kinked(w: Any) -> Any:
    return jnp.sum(jax.nn.relu(w)) + jnp.sum(w * w)


def of_kinked(w: Any, factor: float = 1.0) -> Any:
    return factor * ((w > 0) + 2 * w)


# Leaves of different sizes, and one of many numbers.

MANY = np.linspace(1, 2, 10_000, dtype=np.float32)


def sized(dtype: Any) -> Any:
    return {
        "small": np.linspace(1, 2, 50, dtype=dtype),
        "large": np.linspace(1, 2, 50, dtype=dtype),
    }


def of_sizes(p: Any) -> Any:
    return jnp.sum(p["small"] ** 2 * p["small"].dtype.type(1e-6)) + jnp.sum(p["large"] ** 2 * 1e3)


def without(leaf: str) -> Any:
    def wrong(p: Any) -> Any:
        factors = {"small": p["small"].dtype.type(2e-6), "large": p["small"].dtype.type(2e3)}
        return {k: p[k] * (factors[k] if k != leaf else 0) for k in p}

    return wrong


def squares(w: Any) -> Any:
    return (w * w).sum()


def twice(w: Any) -> Any:
    return 2 * w


def refused(directions: Any, *says: str, dtype: Any = float, **options: Any) -> list[Any]:
    at = np.ones(3).astype(dtype)
    name = f"directions: {says[0]}"
    made = cases(name, check_gradient, squares, at, directions=directions, **options)
    return made(Row("refused", twice, *says, verdict=RAISED))


SAYS = (
    "agree: the slope along 1 random direction is right, where an error of 0.001 times one element "
    "shows, at the given point, 9 points judged",
    "the slope of the loss along 1 random direction by power series",
)
WRONG: dict[str, Any] = {"verdict": "disagree", "blame": "yours"}
UNDECIDABLE: dict[str, Any] = {"verdict": "undecidable"}


CASES = [
    *cases("along directions", check_gradient, loss, *AT, directions=1)(
        Row("right, along one", gradient, *SAYS, blame=None),
        Row("a slip in w[0]", slip(w=[1, 0]), "random direction 1", "without directions=", **WRONG),
        Row("a slip in w[1]", slip(w=[0, 1]), **WRONG),
        Row("a slip in b", slip(b=1), **WRONG),
        Row("digits are lost", lossy, verdict="imprecise"),
    ),
    *cases("along directions", check_gradient, loss, *AT, directions=5)(
        Row("right, along five", gradient, "along 5 random directions", blame=None),
        Row("w alone", lambda *at: gradient(*at)["w"], blame="yours", kinds=("structure",)),
        Row(
            "nan", lambda *at: {"w": Y[:2] * np.nan, "b": 0.0}, blame="yours", kinds=("non-finite",)
        ),
    ),
    *cases("along directions of two formats", check_gradient, in_double, *MIXED, directions=2)(
        Row("right", mixed, "direction 1 of float32", "direction 1 of float64", blame=None),
        Row(
            "a thousandth more", lambda *at: mixed(*at, factor=1.001), "of float32: ", blame="yours"
        ),
    ),
    *cases("along directions", check_gradient, in_numpy, *AT, directions=2, has_value=True)(
        Row("right, of NumPy", lambda *at: (in_numpy(*at), gradient(*at)), blame=None),
    ),
    *cases("along directions at a kink", check_gradient, kinked, KINK, directions=2, points=1)(
        Row("the right ones", of_kinked, "are equal at this point", **UNDECIDABLE),
        Row("50 times as much", lambda w: of_kinked(w, 50), blame="yours"),
    ),
    *cases("along a direction", check_gradient, of_sizes, sized(np.float64), directions=1)(
        Row("the small leaf is 0", without("small"), blame="yours"),
        Row("the large leaf is 0", without("large"), blame="yours"),
    ),
    # 1e-9 of the others is less than float32 can show.
    *cases("in float32", check_gradient, of_sizes, sized(np.float32), directions=1, points=0)(
        Row("the small leaf is 0", without("small"), **UNDECIDABLE),
    ),
    # Of many numbers in float32 the slope along one direction is known to a tenth of one.
    *cases("of many", check_gradient, squares, MANY, directions=1, points=0)(
        Row("what nothing shows", twice, "may hide an error of", **UNDECIDABLE),
        Row("half more", lambda w: 3 * w, blame="yours"),
    ),
    *cases("of many", check_gradient, squares, MANY, directions=5, points=0)(
        Row("right", twice, "times one element shows", blame=None),
    ),
    *cases("of cubes", check_gradient, lambda w: (w**3).sum(), np.array([0.5, 1.5]), directions=1)(
        Row("right if it is positive", lambda w: np.abs(3 * w) * w, "no longer positive", **WRONG),
    ),
    *refused(0, "ValueError: directions: got 0, expected 1 to 24"),
    *refused(1.5, "TypeError: directions: got 1.5, expected a whole number"),
    *refused(True, "TypeError: directions: got True, expected a whole number"),
    *refused(1, "directions: got parameters in bfloat16", dtype="bfloat16"),
    *refused(1, "directions: got computed_in='bfloat16' as well", computed_in="bfloat16"),
]
