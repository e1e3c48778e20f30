"""Checks of one loss, one after the other: a change is never missed, and nothing is left behind."""

import gc
import logging
import weakref
from concurrent.futures import ThreadPoolExecutor
from enum import EnumType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from tests.corpus.case import anew
from tests.corpus.rows import kept

W = np.array([0.3, -0.7, 1.2])
X = np.random.default_rng(0).standard_normal((5, 3))

AGREE, YOURS = ("agree", None), ("disagree", "yours")


def ruling(gradient: Any, loss: Any, *point: Any, **options: Any) -> tuple[str, str | None]:
    report = check_gradient(gradient, loss, *(point or (W,)), **{"points": 1, **options})
    return report.verdict, report.blame


def test_an_array_that_is_written_to_between_checks() -> None:
    """JAX's programs do not copy it, so that an earlier one now has other constants."""
    data, before = X.copy(), X.copy()

    def squares(data: np.ndarray) -> tuple[Any, Any]:
        inner = jax.jit(lambda w: jnp.sum((data @ w) ** 2))  # a constant of its own
        return lambda w: 2 * data.T @ (data @ w), inner

    gradient, loss = squares(data)
    right, first = squares(before)
    assert ruling(gradient, loss) == AGREE
    data *= 2
    assert ruling(gradient, lambda w: jnp.sum((data @ w) ** 2)) == AGREE
    assert ruling(right, lambda w: jnp.sum((data @ w) ** 2)) == YOURS
    # The first program's numbers again, in another array.
    assert ruling(right, first, W + 1) == AGREE
    assert ruling(gradient, first, W + 1) == YOURS


def test_another_rule_for_the_same_function_of_jax() -> None:
    """The loss's program and the function's name are the same, and only the derivative is not."""

    def loss_with(factor: float) -> Any:
        tanh = jax.custom_vjp(jnp.tanh)
        tanh.defvjp(lambda x: (jnp.tanh(x), None), lambda _, d: (factor * d,))
        return lambda w: jnp.sum(tanh(w))

    options = {"points": 0, "trust_rules": ["tanh"]}
    for factor in (1.5, 2.5, 1.5):
        loss = loss_with(factor)
        assert ruling(lambda w, f=factor: f * np.ones(3), loss, W, **options)[0] == "agree"
        assert ruling(lambda w, f=factor: (4 - f) * np.ones(3), loss, W, **options) == YOURS
    assert ruling(lambda w: 1 - np.tanh(w) ** 2, loss_with(1.5)) == ("agree", "autodiff")


def test_the_same_loss_at_the_same_point_with_and_without_a_domain() -> None:
    """References that checks share are those of one domain."""
    weights = np.random.default_rng(1).standard_normal((3, 3))
    at, mean = weights + weights.T, (weights + weights.T) / 2
    for domain, due in ((None, YOURS), ("symmetric", AGREE), (None, YOURS)):
        loss = lambda a: jnp.sum(weights * a * a) / 2  # noqa: E731
        assert ruling(lambda a: mean * a, loss, at, points=0, domain=domain) == due


def squares(w: Any, x: Any) -> Any:
    return jnp.sum(jax.nn.relu(x @ w) ** 2)


def of_squares(w: Any, x: Any) -> Any:
    return 2 * x.T @ np.maximum(x @ w, 0)


@pytest.mark.slow
def test_a_report_is_the_same_whatever_was_checked_before_and_in_threads() -> None:
    def checked(k: int) -> tuple[str, Any]:
        factor = 1 + 1e-3 * (k % 2)
        report = check_gradient(lambda *at: factor * of_squares(*at), squares, W, X, points=2)
        return str(report), report.to_dict() | {"seconds": 0}

    one_by_one = [checked(k) for k in range(4)]
    assert one_by_one[2:] == one_by_one[:2]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(checked, range(4))) == one_by_one


@pytest.mark.usefixtures("own_garbage")
def test_neither_functions_nor_arguments_are_kept() -> None:
    gradient, loss, w = (lambda w: 2 * w), (lambda w: jnp.sum(w**2)), W.copy()
    kept = [weakref.ref(each) for each in (gradient, loss, w)]
    assert ruling(gradient, loss, w) == AGREE
    del gradient, loss, w
    gc.collect()
    assert [each() is None for each in kept] == [True, True, True]


def test_what_functions_keep_is_left_as_they_have_it() -> None:
    for of_case in kept.LOSSES.values():
        loss = anew(of_case)
        assert check_gradient(lambda x: 2 * x, loss, kept.X, points=1)
        assert type(loss(kept.X)) is float
    assert check_gradient(lambda x: 2 * x, kept.with_objects, kept.X, points=0)
    left = type(kept.LOGGER), type(kept.Mode), kept.Mode.PLAIN.name
    assert left == (logging.Logger, EnumType, "PLAIN")
