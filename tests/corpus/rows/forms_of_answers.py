"""What has not the form of a derivative, and points that are none."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from handgrad import check_backward, check_gradient
from tests.corpus.case import RAISED, Case, Row, cases

PARAMS = {"w": np.ones((3, 2)), "b": np.ones(2, np.float32), "s": 1.0}
RIGHT: dict[str, Any] = {"w": np.full((3, 2), 2.0), "b": np.full(2, 3, np.float32), "s": 4.0}
BUFFER = np.zeros(2)
TWO = np.ones(2)


def linear(p: Any) -> Any:
    return 2 * jnp.sum(p["w"]) + 3 * jnp.sum(p["b"]).astype(float) + 4 * p["s"]


def formed(said: str, kinds: str, *says: str, verdict: str | None = None, **wrong: Any) -> Row:
    answer = {**RIGHT, **wrong}
    return Row(said, lambda p: answer, *says, kinds=tuple(kinds.split()), verdict=verdict)


def squares(p: Any) -> Any:
    return jnp.sum(p**2)


def of_many(p: Any, *_: Any) -> Any:
    return squares(p)


def projected(inputs: Any) -> Any:
    return inputs @ np.ones((3, 2)), None


def in_a_buffer(p: Any) -> Any:
    np.multiply(2, p, out=BUFFER)
    return BUFFER


def of_list(p: Any) -> Any:
    return jnp.sum(p[0]) + p[1]


def of_two(w: Any, u: Any, x: Any) -> Any:
    return jnp.sum(jnp.tanh(x @ w) @ u)


def points(more: Any, *says: str) -> list[Case]:
    made = cases(f"points: {says[0]}", check_gradient, linear, PARAMS, points=more)
    return made(Row("refused", lambda p: RIGHT, *says, verdict=RAISED))


RNG = np.random.default_rng(0)
ARGUMENTS = RNG.normal(size=(2, 3)), RNG.normal(size=3), RNG.normal(size=(5, 2))
SWAPPED = "were the loss and the gradient given in each other's place?"
TOLD: dict[str, Any] = {"verdict": "disagree"}
NO_VALUE: dict[str, Any] = {"verdict": "disagree", "kinds": ("structure", "shape")}


CASES = [
    *cases("a form", check_gradient, linear, PARAMS, points=0)(
        Row("right, of arrays of JAX's", lambda p: {**RIGHT, "b": jnp.full(2, 3, jnp.float32)}),
        Row("right, a number in an array", lambda p: {**RIGHT, "s": np.array(4.0)}),
        formed("nothing of w", "structure", "p['w']", w=None),
        formed("another leaf", "structure", "['extra']", extra=np.ones(2)),
        formed("a list", "structure", "p['w']", w=[np.ones((3, 2))]),
        formed("words", "structure", "p['s']: got str, expected an array", s="no", **TOLD),
        formed("an integer for a float", "structure", "p['s']", s=4, **TOLD),
        formed("transposed", "shape", "p['w']: got shape (2, 3), expected (3, 2)", w=np.eye(2, 3)),
        formed("a column", "shape", "p['w']", w=np.ones((3, 1))),
        formed("an axis more", "shape", "p['w']", w=np.ones((1, 3, 2))),
        formed("a number for an array", "shape", "p['b']", b=np.float32(3)),
        formed("an array for a number", "shape", "p['s']", s=np.ones(1)),
        formed("float16", "dtype", "p['w']", w=np.full((3, 2), 2, np.float16), **TOLD),
        formed("float64", "dtype", "got float64, expected float32", b=3 * np.ones(2), **TOLD),
        formed("integers", "dtype", "p['w']", w=np.full((3, 2), 2), **TOLD),
        formed("two at once", "dtype shape", "p['b']", "p['w']", b=np.ones(2), w=np.ones(2)),
        Row("nothing", lambda p: None, "is its return statement missing?", kinds=("structure",)),
        Row("the value as well", lambda p: (3.0, RIGHT), "has_value=True"),
        Row("the loss", lambda p: np.float64(2.5), SWAPPED),
        Row("the loss, of JAX", lambda p: jnp.float32(2.5), SWAPPED),
    ),
    *cases("a form", check_gradient, linear, PARAMS, has_value=True)(
        Row("right, in a list", lambda p: [linear(p), RIGHT]),
        Row("no value", lambda p: RIGHT, "got dict, expected (loss, grads)", **NO_VALUE),
        Row("three results", lambda p: (1.0, RIGHT, 2.0), "got tuple, expected", **NO_VALUE),
        Row("a value of shape (1,)", lambda p: (TWO[:1], RIGHT), "a loss of shape", **NO_VALUE),
        Row("a number for w", lambda p: (19.0, {**RIGHT, "w": 1.0}), SWAPPED),
    ),
    *cases("a form", check_gradient, of_list, [np.ones(2), 1.0], points=0)(
        Row("right, in a tuple", lambda p: (np.ones(2), 1.0)),
        Row(
            "a dict for a list",
            lambda p: {"a": np.ones(2)},
            "returned a dict of 'a' with no gradient of p[0], p[1] and something at grads['a']",
            "p is a list of 2",
        ),
    ),
    *cases("a form", check_gradient, squares, TWO)(
        Row("right, in one buffer", in_a_buffer),
    ),
    *cases("a form", check_gradient, of_many, np.eye(2, 3), (TWO, None, [1.0, 2.0]), TWO)(
        Row("an input's", lambda p, *_: TWO, "got shape (2,), expected (2, 3), that of the first"),
    ),
    # The cotangents of a step are not called the first argument, whatever its inputs are called.
    *cases("a form, of a step", check_backward, projected, np.ones((4, 3)))(
        Row("of the output's form", lambda d, _: d, "got shape (4, 2), expected (4, 3)"),
    ),
    *cases("of the first argument", check_gradient, of_two, *ARGUMENTS)(
        Row("of two", lambda w, u, x: (w, u), "for more, make them one, (w, u)"),
        Row("of all", lambda w, u, x: [w, u, x], "for more, make them one, (w, u, x)"),
        Row("beside a number", lambda w, u, x: (1.0, w), "returns (loss, grads), say has_value"),
        Row("of another", lambda w, u, x: u, "that of the first argument; yours is that of u"),
        Row("of none", lambda w, u, x: x.T, "got shape (2, 5), expected (2, 3)"),
    ),
    *cases("points that are listed", check_gradient, squares, TWO, points=[(np.zeros(2),), [TWO]])(
        Row("right", lambda p: 2 * p, "3 points judged"),
        Row("wrong at one", lambda p: 2 * p + (p == 0), "disagree at point 1", verdict="disagree"),
    ),
    *points(-1, "points: got -1, expected 0 or more"),
    *points(True, "TypeError: points: got True, expected a number"),
    *points("five", "TypeError: points: got 'five', expected a number"),
    *points([PARAMS], "TypeError: points[0]: got {'", "expected (params"),
    *points([()], "points[0]: got (), expected (params"),
    *points([(PARAMS,), ({**PARAMS, "s": 1},)], "TypeError: points[1]: p['s']: got int 1"),
    *points([({**PARAMS, "b": np.zeros(2)},)], "points[0]: p['b']: got float64[2], expected"),
    *points([({"w": PARAMS["w"]},)], "points[0]: got p['w'], expected p['b'], p['s'], p['w']"),
    *points([(PARAMS, 1)], "points[0]: got a tuple of 2, expected one of 1, as the first ones"),
    *points([({**PARAMS, "s": np.nan},)], "ValueError: points[0]: p['s']: got nan"),
]
