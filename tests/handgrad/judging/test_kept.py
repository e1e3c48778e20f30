"""What a caller's code keeps from one call to the next is no constant, and is left as it was."""

import enum
import logging
import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient, check_hessian

X = np.array([0.3, 0.5, 0.7])
STATE: Any = None
BUFFER = np.zeros(6)
FIRST, SECOND = BUFFER[:3], BUFFER[3:]
PLACE = np.zeros(3)
OTHER_NAME = PLACE[:]
KEPT: dict[str, Any] = {}


def doubled(x: Any) -> Any:
    found = np.full(3, 2.0)  # which NumPy makes of floats alone
    found *= x
    return found


def put(x: Any) -> None:
    global STATE
    STATE = doubled(x)


def got() -> Any:
    return STATE


def by_global(x: Any) -> Any:
    put(x)
    return float(got() @ got()) / 4


def in_a_workspace(x: Any) -> Any:
    FIRST[:] = x
    SECOND[:] = 2 * x
    return float(BUFFER @ BUFFER) / 5


def in_a_default(x: Any, out: Any = PLACE) -> Any:
    out[:] = x
    return float(OTHER_NAME @ OTHER_NAME)


def in_a_closure() -> Callable[[Any], Any]:
    kept = None

    def keep(x: Any) -> None:
        nonlocal kept
        kept = doubled(x)

    def loss(x: Any) -> Any:
        keep(x)
        assert kept is not None
        return float(kept @ kept) / 4

    return loss


def in_a_dictionary(x: Any) -> Any:
    if "x" not in KEPT or not np.array_equal(KEPT["x"], x):
        KEPT.update(x=np.array(x), doubled=doubled(x))
    return float(KEPT["doubled"] @ KEPT["doubled"]) / 4


class Layer:
    def __init__(self) -> None:
        self.x = self.out = np.full(3, np.nan)

    def forward(self, x: Any) -> Any:
        self.out = doubled(x)
        return self.out

    def near(self, x: Any) -> Any:
        if not np.linalg.norm(x - self.x) < 1e-12:
            self.x, self.out = np.array(x), 2 * np.array(x)
        return float(np.sum(self.out * self.out)) / 4


LAYER = Layer()
LAYERS = [LAYER]


def in_a_layer(x: Any) -> Any:
    LAYER.forward(x)
    return float(sum(layer.out @ layer.out for layer in LAYERS)) / 4


#: All of them are Σx².
LOSSES: dict[str, Callable[[Any], Any]] = {
    "a global variable": by_global,
    "a workspace and its parts": in_a_workspace,
    "a default": in_a_default,
    "an enclosing variable": in_a_closure(),
    "a dictionary": in_a_dictionary,
    "a layer": in_a_layer,
    "by distance": Layer().near,
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("points", [0, 2])
def test_what_a_loss_keeps_is_no_constant(name: str, points: int) -> None:
    loss = LOSSES[name]
    right, wrong = (
        check_gradient(lambda x, f=f: f * x, loss, X, points=points) for f in (2.0, 0.0)
    )
    assert (right.verdict, wrong.verdict) == ("agree", "disagree"), str(right)
    assert type(loss(X)) is float, "numbers of the judge's were left where it keeps them"


def test_what_a_loss_keeps_at_zero_is_no_constant() -> None:
    """There a part of a number's size is no move."""
    kept = Layer()

    def loss(x: Any) -> Any:
        if not np.linalg.norm(x - kept.x) < 1e-12:
            kept.x, kept.out = np.array(x), np.array(x) + 1
        return float(np.sum(kept.out * kept.out))

    reports = [
        check_gradient(lambda x, f=f: f * (x + 1), loss, np.zeros(3), points=0) for f in (2, 0)
    ]
    assert [report.verdict for report in reports] == ["agree", "disagree"]


def test_what_a_loss_keeps_is_no_constant_of_its_hessian() -> None:
    hessians = (2 * np.eye(3), np.zeros((3, 3)))
    reports = [check_hessian(lambda _, h=h: h, Layer().near, X, points=0) for h in hessians]
    assert [report.verdict for report in reports] == ["agree", "disagree"]


def lossy(x: Any) -> Any:
    put(np.exp(x) / 2)
    return got() - 1 - x


def lossy_by_other_names(x: Any) -> Any:
    PLACE[:] = np.exp(x)
    return OTHER_NAME - 1 - x


@pytest.mark.parametrize("gradient", [lossy, lossy_by_other_names])
def test_what_a_gradient_keeps_is_no_evidence_against_it(gradient: Callable[[Any], Any]) -> None:
    """It is right, and loses digits."""
    at = np.array([1e-5, 2e-5, -3e-5])
    report = check_gradient(gradient, lambda x: jnp.sum(jnp.exp(x) - x - x**2 / 2), at, points=0)
    assert report.verdict in ("imprecise", "undecidable")


class Mode(enum.Enum):
    PLAIN = 1


LOGGER = logging.getLogger("of a loss")


def with_objects(x: Any) -> Any:
    LOGGER.debug("called")
    found = doubled(x) if Mode.PLAIN is Mode(1) else x
    return float(found @ found) / 4


def test_objects_of_the_caller_are_not_changed() -> None:
    assert check_gradient(lambda x: 2 * x, with_objects, X, points=0).certified
    assert type(LOGGER) is logging.Logger
    assert Mode.PLAIN.name == "PLAIN"


def on_a_simplex(p: Any) -> Any:
    assert isinstance(p, np.ndarray) is False or abs(p.sum() - 1) < 1e-9
    whole = p * 1.0
    also = whole
    also /= whole.sum()
    return (whole * whole).sum()


def test_what_has_no_value_beside_the_point_is_not_certified() -> None:
    at = np.array([0.5, 0.25, 0.25])
    right, traced = (
        check_gradient(lambda p, f=f: 2 * p - f * 2 * p @ p, on_a_simplex, at) for f in (1, 0)
    )
    assert (right.verdict, right.certified) == ("agree", False)
    assert (traced.verdict, traced.certified) == ("disagree", False)


def newton(x: Any) -> Any:
    root = 1.0
    while True:
        root, before = (root + x[0] / root) / 2, root
        if math.isclose(root, before):
            return root * x[1]


def test_functions_of_math_keep_their_tolerance() -> None:
    """NumPy's `isclose` would stop the loop sooner, and leave 1e-5 open."""
    at = np.array([7.3, 2.1])

    def wrong(x: Any) -> Any:
        return np.array([0.5 / math.sqrt(x[0]) * x[1], math.sqrt(x[0])]) * (1 + 1e-10)

    report = check_gradient(wrong, newton, at, points=0)
    assert (report.verdict, report.certified) in (("undecidable", False), ("disagree", True))
