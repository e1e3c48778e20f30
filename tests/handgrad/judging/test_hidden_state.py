"""What a report says of a loss that is no function: where its numbers are from, and what helps."""

import itertools
import random
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import (
    check_gradient,
    check_hessian,
    check_hvp,
    check_jacobian,
    compare_gradients,
    exact_gradient,
)
from handgrad.data.point import point_at
from handgrad.judging.case import Case
from handgrad.judging.hidden_state import PASS_IT, advice
from tests.tiers import one_of_each

W = np.array([0.3, -0.7, 1.2])


def squares(w: Any) -> Any:
    return (w * w).sum()


def by_a_callback(w: Any) -> Any:
    return jax.pure_callback(np.random.random, jax.ShapeDtypeStruct((), np.float64)) * squares(w)


DRAWING: dict[str, tuple[Callable[[Any], Any], str]] = {
    "np.random": (lambda w: squares(w) * np.random.random(), "draws from np.random: "),
    "random": (lambda w: squares(w) * random.random(), "draws from Python's random: "),
    "callback": (by_a_callback, "draws from np.random: "),
    "clock": (lambda w: squares(w) * time.time(), PASS_IT),
    "error": (lambda _: next(iter(())), PASS_IT),
}


@pytest.mark.parametrize("name", DRAWING)
def test_the_generator_that_a_call_draws_from_is_named(name: str) -> None:
    loss, says = DRAWING[name]
    assert says in advice(Case(squares, loss), point_at(W, ()))


def test_it_stands_in_every_report() -> None:
    loss = DRAWING["random"][0]
    says = "the loss is not a function of its arguments: at the same point its value was"
    assert says in (headline := check_gradient(lambda w: 2 * w, loss, W, points=0).headline)
    assert ", and in call 2 " in headline
    assert headline.endswith("made inside it, or pass what is drawn as an input")
    versions = {"a": lambda w: 2 * w, "b": lambda w: 3 * w}
    assert (
        f"undecidable: a and b are undecidable: {says}"
        in compare_gradients(versions, loss, W, points=0).headline
    )
    with pytest.raises(ArithmeticError, match="draws from Python's random"):
        exact_gradient(loss, W)


COUNTING: dict[str, Callable[[Any], Any]] = {
    "jacobian": lambda fun: check_jacobian(lambda w: np.diag(2 * w), fun, W, points=0),
    "hessian": lambda fun: check_hessian(
        lambda _: 2 * np.eye(3), lambda w: fun(w).sum(), W, points=0
    ),
    "product": lambda fun: check_hvp(lambda _, v: 2 * v, lambda w: fun(w).sum(), W, points=0),
}


@pytest.mark.parametrize("name", one_of_each(COUNTING, ["jacobian"]))
def test_it_stands_in_reports_on_matrices(name: str) -> None:
    calls = itertools.count(1)
    # The derivatives of the second do not change.
    for fun in (lambda w: w * w * next(calls), lambda w: w * w + 1e-6 * next(calls)):
        headline = COUNTING[name](fun).headline
        assert "is not a function of its arguments: " in headline
        assert headline.endswith(f"; {PASS_IT}")


@pytest.mark.slow
@pytest.mark.parametrize("name", COUNTING)
def test_values_may_differ_as_another_order_of_sums_may(name: str) -> None:
    calls = itertools.count(1)
    assert COUNTING[name](lambda w: w * w + 1e-12 * next(calls))


@pytest.mark.parametrize(
    "of", [jnp.sum, lambda a: np.sum(np.asarray(a)) if a.dtype != object else a.sum()]
)
def test_a_loss_that_is_no_number_in_some_calls(of: Any) -> None:
    for every in (2, 3):
        calls = itertools.count(1)

        def loss(w: Any) -> Any:
            return of(w * w) * (np.nan if next(calls) % every == 0 else 1.0)  # noqa: B023 (called here)

        headline = check_gradient(lambda w: 2 * w, loss, W, points=0).headline
        assert "is not a function" in headline
        assert " nan" in headline


def test_differences_below_the_digits_of_floats_are_shown() -> None:
    loss = lambda w: jnp.sum(w * w) + 1e-18 * np.random.random()  # noqa: E731
    headline = check_gradient(lambda w: 2 * w, loss, W, points=0).headline
    one, other = headline.split("its value was ")[1].split(";")[0].split(", and in call 2 ")
    assert one != other
    assert float(one) == float(other)
