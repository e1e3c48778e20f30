"""What is passed over where an error costs a hint alone: the caller's errors, and known limits."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

from handgrad import check_gradient, check_jacobian, diagnosis
from handgrad.data import attempts
from handgrad.data.attempts import VARIABLE, InternalError, best_effort
from handgrad.data.point import point_at
from handgrad.diagnosis.engine import TooLargeError, engine


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what other tests gave."""
    monkeypatch.setattr(attempts, "_GIVEN", {})
    monkeypatch.setattr(attempts, "_CODES", set())


def attempt(f: Callable[[], Any], *known: type[Exception]) -> str:
    with best_effort(*known):
        f()
    return "passed over"


def of_the_callers_own() -> None:
    raise KeyError("a column")


def of_a_limit() -> None:
    raise TooLargeError


def of_a_library() -> Any:
    """An error in JAX, called by code of handgrad."""
    return point_at(np.ones(3), ()).call(jnp.linalg.inv)


def of_handgrad() -> Any:
    """A mistake: `engine` calls what is no function."""
    return engine(None, point_at(np.ones(3), ()))  # pyright: ignore


@pytest.mark.parametrize("error", [of_the_callers_own, of_a_limit])
def test_errors_of_the_caller_and_known_limits_are_passed_over(error: Callable[[], Any]) -> None:
    assert attempt(error) == "passed over"


def test_errors_in_libraries_are_passed_over_where_they_are_known() -> None:
    assert attempt(of_a_library, ValueError) == "passed over"
    with pytest.raises(InternalError, match="ValueError"):
        attempt(of_a_library, TypeError)


@pytest.mark.parametrize("frames", ["quiet_remove_frames", "off"])
def test_errors_of_jax_are_known_where_it_takes_its_frames_off_them(frames: str) -> None:
    """As it does outside of pytest, in a process that a test starts."""

    def of_jax() -> Any:
        return point_at(np.ones(3), ("a",)).call(jnp.sin)

    before = jax.config.jax_traceback_filtering  # pyright: ignore[reportAttributeAccessIssue]
    jax.config.update("jax_traceback_filtering", frames)
    try:
        assert attempt(of_jax, TypeError) == "passed over"
        with pytest.raises(InternalError):
            attempt(of_jax, RuntimeError)
    finally:
        jax.config.update("jax_traceback_filtering", before)


@pytest.mark.parametrize(
    ("function", "called"),
    [
        (np.matmul, np.matmul),  # compiled, without a frame of its own
        (np.linalg.solve, partial(np.linalg.solve)),  # called by way of another function
        (partial(np.linalg.solve), np.linalg.solve),
    ],
)
def test_errors_in_a_librarys_function_that_the_caller_gave_are_passed_over(
    function: Callable[..., Any], called: Callable[..., Any]
) -> None:
    def call() -> Any:
        return point_at(np.ones((2, 3)), (np.ones(2),)).call(called)

    with pytest.raises(InternalError):
        attempt(call)
    attempts.given(function)
    assert attempt(call) == "passed over"


def test_a_check_takes_down_what_functions_it_was_given() -> None:
    x = np.array([0.3, 0.7])
    assert check_jacobian(lambda x: np.diag(np.cos(x)), np.sin, x, points=0).verdict == "agree"
    assert (
        check_gradient(lambda x: x / np.linalg.norm(x), np.linalg.norm, x, points=0).verdict
        == "agree"
    )
    for function in (np.sin, np.linalg.norm):
        assert attempt(lambda f=function: point_at(np.ones(2), ("a",)).call(f)) == "passed over"


def test_what_code_in_c_does_after_an_error_is_judged_by_that_error() -> None:
    """`brentq` calls its function again, on a number that is no float, and Python raises."""

    def loss(p: Any) -> Any:
        root: Any = brentq(lambda x: p[0] * x - p[1], -5, 5)
        return root**2

    def gradient(p: Any) -> Any:
        return 2 * p[1] / p[0] ** 2 * np.array([-p[1] / p[0], 1])

    report = check_gradient(gradient, loss, np.array([1.25, 0.5]), points=0)
    assert report.verdict == "agree"


def test_errors_in_handgrad_are_raised_by_tests_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InternalError, match="'NoneType' object is not callable"):
        attempt(of_handgrad, TypeError)  # raised by no library
    monkeypatch.delenv(VARIABLE)
    assert attempt(of_handgrad) == "passed over"


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
