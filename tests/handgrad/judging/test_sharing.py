"""Checks of one loss, one after the other: what they share, and that a change is never missed."""

import gc
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.data.recent import Recent
from tests.tiers import one_of_each

W = np.array([0.3, -0.7, 1.2])
X = np.random.default_rng(0).standard_normal((5, 3))

AGREE, YOURS, AUTODIFF = ("agree", None), ("disagree", "yours"), ("agree", "autodiff")


def ruling(gradient: Any, loss: Any, *point: Any, **options: Any) -> tuple[str, str | None]:
    report = check_gradient(gradient, loss, *(point or (W,)), **{"points": 1, **options})
    return report.verdict, report.blame


def times(factor: float) -> Callable[[Any], Any]:
    return lambda w: 2 * factor * w


def test_a_closure_that_changes_between_checks() -> None:
    settings = {"factor": 2.0}

    def loss(w: Any) -> Any:
        return settings["factor"] * jnp.sum(w**2)

    for factor in (2.0, 3.0, 2.0):
        settings["factor"] = factor
        assert ruling(times(factor), loss) == AGREE
        assert ruling(times(5 - factor), loss) == YOURS


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


def test_a_derivative_rule_that_changes_between_checks() -> None:
    """It is no part of the loss's program."""
    slope = {"of": 2.0}

    @jax.custom_jvp
    def squared(w: Any) -> Any:
        return w * w

    squared.defjvp(lambda w, dw: (squared(*w), slope["of"] * w[0] * dw[0]))
    assert ruling(times(1), lambda w: jnp.sum(squared(w))) == AGREE
    slope["of"] = 3.0
    assert ruling(times(1), lambda w: jnp.sum(squared(w))) == AUTODIFF


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
    assert ruling(lambda w: 1 - np.tanh(w) ** 2, loss_with(1.5))[1] == "autodiff"


def test_the_same_loss_at_the_same_point_with_and_without_a_domain() -> None:
    """References that checks share are those of one domain."""
    weights = np.random.default_rng(1).standard_normal((3, 3))
    at = weights + weights.T

    def loss(a: Any) -> Any:
        return jnp.sum(weights * a * a) / 2

    def of_symmetric(a: Any) -> Any:
        return (weights + weights.T) / 2 * a

    for domain, due in ((None, YOURS), ("symmetric", AGREE), (None, YOURS)):
        assert ruling(of_symmetric, loss, at, points=0, domain=domain) == due


def squares(w: Any, x: Any) -> Any:
    return jnp.sum(jax.nn.relu(x @ w) ** 2)


def of_squares(w: Any, x: Any) -> Any:
    return 2 * x.T @ np.maximum(x @ w, 0)


def with_halves(w: Any, x: Any) -> Any:
    """A loss with a loop that leaves out its further changes."""
    more = jax.lax.while_loop(
        lambda s: s[0] > 1e-3, lambda s: (s[0] / 2, s[1] + s[0] * x[0]), (w[0] ** 2, 0 * x[0])
    )
    return squares(w, x) + jnp.sum(more[1])


@pytest.mark.parametrize("loss", one_of_each([squares, with_halves], [squares]))
@pytest.mark.parametrize("factor", [1.0, 1.001])
def test_a_report_is_the_same_whatever_was_checked_before(loss: Any, factor: float) -> None:
    reports = [
        check_gradient(lambda *at: factor * of_squares(*at), loss, W, X, points=2) for _ in range(3)
    ]
    first, *others = [(str(r), r.to_dict() | {"seconds": 0}) for r in reports]
    assert others == [first, first]


@pytest.mark.usefixtures("own_garbage")
def test_neither_functions_nor_arguments_are_kept() -> None:
    gradient, loss, w = (lambda w: 2 * w), (lambda w: jnp.sum(w**2)), W.copy()
    kept = [weakref.ref(each) for each in (gradient, loss, w)]
    assert ruling(gradient, loss, w) == AGREE
    del gradient, loss, w
    gc.collect()
    assert [each() is None for each in kept] == [True, True, True]


def test_in_threads() -> None:
    def checked(k: int) -> tuple[str, str | None]:
        return ruling(lambda w, x: of_squares(w, x) * (1 + k % 2), squares, W + k % 3, X)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(checked, range(6))) == [AGREE, YOURS] * 3


def test_a_store_is_bounded() -> None:
    recent = Recent[str](10)
    recent.put("a", "first", 4)
    recent.put("b", "second", 4)
    assert recent.get("a") == "first"
    recent.put("c", "third", 5)  # b was used longest ago
    recent.put("d", "too heavy", 11)
    assert [recent.get(key) for key in "abcd"] == ["first", None, "third", None]
