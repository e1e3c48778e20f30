"""What is passed over where an error costs a hint alone: the caller's errors, and known limits."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient, diagnosis
from handgrad.data import attempts
from handgrad.data.attempts import VARIABLE, InternalError, best_effort
from handgrad.data.point import point_at
from handgrad.diagnosis.engine import TooLargeError, engine


def passed_over(f: Callable[[], Any], *known: type[Exception]) -> bool:
    try:
        with best_effort(*known):
            f()
    except InternalError:
        return False
    return True


def of_the_callers_own() -> None:
    raise KeyError("a column")


def of_a_limit() -> None:
    raise TooLargeError


def of_jax() -> Any:
    """An error in JAX, called by code of handgrad."""
    return point_at(np.ones(3), ("a",)).call(jnp.sin)


def test_whose_errors_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "_GIVEN", {})
    monkeypatch.setattr(attempts, "_CODES", set())
    assert passed_over(of_the_callers_own)
    assert passed_over(of_a_limit)
    assert passed_over(of_jax, TypeError)
    assert not passed_over(of_jax, RuntimeError)
    # A library's function that the caller gave.
    solved = lambda: point_at(np.ones((2, 3)), (np.ones(2),)).call(np.linalg.solve)  # noqa: E731
    assert not passed_over(solved)
    attempts.given(partial(np.linalg.solve))
    assert passed_over(solved)
    # A mistake: `engine` calls what is no function, and no library raises.
    assert not passed_over(lambda: engine(None, point_at(np.ones(3), ())), TypeError)  # pyright: ignore


def test_a_mistake_in_a_diagnosis_costs_a_user_no_more_than_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def found() -> Any:
        yours = lambda x: 2 * x + np.tanh(x)  # noqa: E731 (it is wrong)
        return check_gradient(yours, lambda x: jnp.sum(x * x), np.array([0.5, -1.0]), points=2)

    monkeypatch.setattr(diagnosis, "Search", None)
    with pytest.raises(InternalError):
        _ = found().findings
    monkeypatch.delenv(VARIABLE)
    assert found().findings[0].kind == "unknown"
