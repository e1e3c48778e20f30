"""Functions that keep something from one call to the next, which is no constant."""

import enum
import logging
import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from handgrad import check_gradient, check_hessian
from tests.corpus.case import Anew, Case, Row, cases

X = np.array([0.3, 0.5, 0.7])
STATE: Any = None
BUFFER, PLACE = np.zeros(6), np.zeros(3)
FIRST, SECOND, OTHER_NAME = BUFFER[:3], BUFFER[3:], PLACE[:]
KEPT: dict[str, Any] = {}


def doubled(x: Any) -> Any:
    found = np.full(3, 2.0)  # which NumPy makes of floats alone
    found *= x
    return found


# Each of them is Σx². What would keep the number of an earlier check is made anew.


def put(x: Any) -> None:
    global STATE
    STATE = doubled(x)


def got() -> Any:
    return STATE


def by_global(x: Any) -> Any:
    put(x)
    return float(got() @ got()) / 4


def in_workspace(x: Any) -> Any:
    FIRST[:] = x
    SECOND[:] = 2 * x
    return float(BUFFER @ BUFFER) / 5


def in_default(x: Any, out: Any = PLACE) -> Any:
    out[:] = x
    return float(OTHER_NAME @ OTHER_NAME)


def with_a_closure() -> Any:
    kept = None

    def keep(x: Any) -> None:
        nonlocal kept
        kept = doubled(x)

    def loss(x: Any) -> Any:
        keep(x)
        assert kept is not None
        return float(kept @ kept) / 4

    return loss


def memoised(x: Any) -> Any:
    if "x" not in KEPT or not np.array_equal(KEPT["x"], x):
        KEPT.update(x=np.array(x), doubled=doubled(x))
    return float(KEPT["doubled"] @ KEPT["doubled"]) / 4


def with_a_dictionary() -> Any:
    KEPT.clear()
    return memoised


class Layer:
    """What it was called with last, and twice that."""

    def __init__(self, plus: float = 0.0) -> None:
        self.x = self.out = np.full(3, np.nan)
        self.plus = plus

    def forward(self, x: Any) -> Any:
        self.out = doubled(x)
        return self.out

    def near(self, x: Any) -> Any:
        if not np.linalg.norm(x - self.x) < 1e-12:
            self.x, self.out = np.array(x), 2 * (np.array(x) + self.plus)
        return float(np.sum(self.out * self.out)) / 4


LAYER = Layer()
LAYERS = [LAYER]


def in_layer(x: Any) -> Any:
    LAYER.forward(x)
    return float(sum(layer.out @ layer.out for layer in LAYERS)) / 4


LOSSES: dict[str, Callable[[Any], Any]] = {
    "a global variable": by_global,
    "a workspace and its parts": in_workspace,
    "a default": in_default,
    "an enclosing variable": with_a_closure(),
    "a layer": in_layer,
    "a dictionary": Anew(with_a_dictionary),
    "what it was called with last": Anew(lambda: Layer().near),
}


def kept() -> list[Case]:
    found: list[Case] = []
    for name, loss in LOSSES.items():
        found += cases(f"keeps {name}", check_gradient, loss, X, points=2)(
            Row("right", lambda x: 2 * x),
            Row("zero, as of a constant", lambda x: 0 * x),
        )
    return found


# Gradients that keep something; both lose digits.

SMALL = np.array([1e-5, 2e-5, -3e-5])


def third_order(x: Any) -> Any:
    return jnp.sum(jnp.exp(x) - x - x**2 / 2)


def lossy(x: Any) -> Any:
    put(np.exp(x) / 2)
    return got() - 1 - x


def lossy_by_other_names(x: Any) -> Any:
    PLACE[:] = np.exp(x)
    return OTHER_NAME - 1 - x


# What a loss refers to, and what it compares by.


class Mode(enum.Enum):
    PLAIN = 1


LOGGER = logging.getLogger("of a loss")


def with_objects(x: Any) -> Any:
    LOGGER.debug("called")
    found = doubled(x) if Mode.PLAIN is Mode(1) else x
    return float(found @ found) / 4


def newton(x: Any) -> Any:
    root = 1.0
    while True:
        root, before = (root + x[0] / root) / 2, root
        if math.isclose(root, before):  # NumPy's would end sooner, and leave 1e-5 open
            return root * x[1]


def of_newton(x: Any) -> Any:
    return np.array([0.5 / math.sqrt(x[0]) * x[1], math.sqrt(x[0])])


CASES = [
    *kept(),
    *cases("keeps its argument at 0", check_gradient, Anew(lambda: Layer(1).near), 0 * X)(
        Row("right", lambda x: 2 * (x + 1)),
        Row("zero, as of a constant", lambda x: 0 * x),
    ),
    *cases("keeps its argument", check_hessian, Anew(lambda: Layer().near), X, points=0)(
        Row("right", lambda _: 2 * np.eye(3)),
        Row("zero, as of a constant", lambda _: np.zeros((3, 3))),
    ),
    *cases("a gradient that keeps something", check_gradient, third_order, SMALL, points=0)(
        Row("right, but it loses digits, in a global variable", lossy, verdict="imprecise"),
        Row("right, but it loses digits, by a view", lossy_by_other_names, verdict="imprecise"),
    ),
    *cases("a logger and an enumeration", check_gradient, with_objects, X, points=0)(
        Row("right", lambda x: 2 * x, certified=True),
    ),
    *cases("a loop that math.isclose ends", check_gradient, newton, np.array([7.3, 2.1]), points=0)(
        Row("right", of_newton),
        Row("off by 1e-10", lambda x: of_newton(x) * (1 + 1e-10), verdict="undecidable"),
    ),
]
