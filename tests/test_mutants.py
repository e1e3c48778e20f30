"""Wrong names, operators, comparisons, constants and calls in the hand-written lines are caught."""

import types
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import manual.activations
import manual.article
import manual.floats
import manual.regression
import manual.sgd
from compare.bounds import gradient_ranges, output_range, sigmoid_slope
from compare.regression import compare_regressions
from compare.rounding import exactly, sigmoid, square
from compare.tables import table_named
from compare.trajectory import Problem, TrainingDivergedError, compare_trainings
from manual.article import Parameters
from tests.equivalence import disagreements
from tests.mutants import mutants
from tests.strategies import drawn_points

pytestmark = pytest.mark.slow

Check = Callable[[types.ModuleType], Any]

#: Changes that change nothing, by function. `as_array` only turns lists into arrays, and the checks
#: give arrays; the shape check reads x's last axis, which for x of shape (n, 2) is also that from 1
#: on; of the chain's factors some are equal by the rule itself: ∂z/∂b = 1, so ∂a/∂b = ∂a/∂z; and
#: both expressions of σ are right on both sides of 0, until an exponential overflows.
EQUIVALENT = {
    "manual.article.forward": ("as_array(x) -> x", "-1 -> 1"),
    "manual.article.gradient": ("as_array(x) -> x", "as_array(y) -> y"),
    "manual.activations.sigmoid": ("as_array(z) -> z",),
    "manual.activations.sigmoid_derivative": ("as_array(z) -> z",),
    "manual.floats.sigmoid": ("0 -> 1",),
    "manual.article.gradient_lines": (
        "dypred_dz3 -> dypred_db3",
        "dypred_db3 -> dypred_dz3",
        "dh1_db1 -> dh1_dz1",
        "dh1_dz1 -> dh1_db1",
        "dh2_db2 -> dh2_dz2",
        "dh2_dz2 -> dh2_db2",
    ),
}

#: Arguments that may be mistaken for each other, and for a factor of the chain rule.
ARGUMENTS = {"forward_lines": ("x1", "x2"), "gradient_lines": ("x1", "x2", "y")}


def survivors(module: types.ModuleType, function: str, check: Check) -> list[str]:
    """The mutants that the check does not catch; one that does not even run is caught as well."""
    alive, equivalent = [], EQUIVALENT.get(f"{module.__name__}.{function}", ())
    for what, mutant in mutants(module, function, ARGUMENTS.get(function, ())):
        if what.endswith(equivalent):
            continue
        try:
            with np.errstate(all="ignore"):
                caught = bool(check(mutant))
        except (ValueError, TypeError, NameError, AttributeError, IndexError, OverflowError):
            caught = True
        if not caught:
            alive.append(what)
    return alive


def by_equivalence(mutant: types.ModuleType) -> Any:
    return disagreements(mutant.gradient)


def by_one_sample(mutant: types.ModuleType) -> bool:
    """Loss and gradient by `manual.floats`: Python's floats, each where it must lie, in both forms.

    Points with weights from N(0, 100²) saturate: there e^|z| overflows.
    """
    for scale in (1.0, 100.0):
        many = drawn_points(64, seed=9, scale=scale)
        for at in range(64):
            params, x, y = Parameters(*(w[at] for w in many.params)), many.x[at], many.y[at]
            for form, derivative in mutant.SIGMOID_DERIVATIVES.items():
                value, grads = mutant.value_and_gradient(params, x, y, derivative)
                ranges = [square(exactly(y) - output_range(params, x))]
                ranges += gradient_ranges(params, x, y, form)
                for answer, span in zip((value, *grads), ranges, strict=True):
                    if type(answer) is not float or not span.contains(answer):
                        return True
    return False


#: Ordinary pre-activations, and some at which e^|z| overflows: the same in every other way.
PRE_ACTIVATIONS = np.concatenate([np.linspace(-40, 40, 1001), [-1000, 1000]])


def by_range_of_sigmoid(mutant: types.ModuleType) -> bool:
    z = PRE_ACTIVATIONS
    return not np.all(sigmoid(exactly(z)).contains(mutant.sigmoid(z)))


def by_range_of_derivative(form: str, mutant: types.ModuleType) -> bool:
    z = PRE_ACTIVATIONS
    return not np.all(sigmoid_slope(exactly(z), form).contains(mutant.SIGMOID_DERIVATIVES[form](z)))


def by_training(mutant: types.ModuleType) -> Any:
    xs, ys = np.array([[-2.0, -1.0], [25.0, 6.0]]), np.array([1.0, 0.0])
    order = mutant.sample_order(2, 2)
    start = manual.article.draw_parameters(44)
    try:
        trainings = compare_trainings(start, Problem(xs, ys, 0.1), order, train=mutant.train)
    except TrainingDivergedError:
        return True
    return trainings.first_divergence or trainings.epochs != 2


def by_regression(mutant: types.ModuleType) -> Any:
    table = table_named("bdims")
    return compare_regressions(table, steps=4, by_hand=mutant.gradient).first_divergence


#: The hand-written lines, and what would notice a mistake in them.
LINES: list[tuple[types.ModuleType, str, Check]] = [
    (manual.article, "forward", by_equivalence),
    (manual.article, "forward_lines", by_equivalence),
    (manual.article, "gradient", by_equivalence),
    (manual.article, "gradient_lines", by_equivalence),
    (manual.floats, "sigmoid", by_one_sample),
    (manual.floats, "sigmoid_derivative", by_one_sample),
    (manual.floats, "sigmoid_derivative_article", by_one_sample),
    (manual.floats, "value_and_gradient", by_one_sample),
    (manual.activations, "sigmoid", by_range_of_sigmoid),
    (manual.activations, "sigmoid_derivative", partial(by_range_of_derivative, "stable")),
    (
        manual.activations,
        "sigmoid_derivative_article",
        partial(by_range_of_derivative, "article"),
    ),
    (manual.sgd, "update", by_training),
    (manual.sgd, "train", by_training),
    (manual.regression, "gradient", by_regression),
    (manual.regression, "predict", by_regression),
]


@pytest.mark.parametrize(("module", "function", "check"), LINES)
def test_no_mutant_survives(module: types.ModuleType, function: str, check: Check) -> None:
    assert survivors(module, function, check) == []


@pytest.mark.parametrize(
    ("module", "check"), list(dict.fromkeys((module, check) for module, _, check in LINES))
)
def test_what_is_right_passes(module: types.ModuleType, check: Check) -> None:
    """A check that finds fault with everything would catch every mutant."""
    assert not check(module)
