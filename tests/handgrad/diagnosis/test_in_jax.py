"""The lines of a loss in NumPy are read as JAX's for its links, where they mean the same."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy
import scipy.linalg
from numpy import tanh
from scipy.special import expit

from handgrad import check_gradient, check_steps
from handgrad.data.point import point_at
from handgrad.diagnosis.engine import AnotherLossError, engine
from handgrad.diagnosis.samples import collected
from handgrad.program.numpy_to_jax import in_jax

RNG = np.random.default_rng(3)
W, X, Y = RNG.normal(size=3), RNG.normal(size=(5, 3)), RNG.uniform(size=5)


def score(w: Any, x: Any) -> Any:
    return np.dot(x, w)


def of_tanh(w: Any, x: Any, y: Any) -> Any:
    """By a function of its own, and by one of NumPy's that it knows by name."""
    return np.sum((tanh(score(w, x)) - y) ** 2)


def of_expit(w: Any, x: Any, y: Any) -> Any:
    return np.mean((expit(score(w, x)) - y) ** 2)


@pytest.mark.slow
def test_the_derivative_of_tanh_is_told() -> None:
    def gradient(w: Any, x: Any, y: Any) -> Any:
        h = np.tanh(x @ w)
        return x.T @ (2 * (h - y) * (1 - h))

    (told,) = check_gradient(gradient, of_tanh, W, X, Y, points=0).diagnoses
    assert told.kind == "activation-derivative"
    assert "the derivative of tanh is 1 - h, not 1 - h² (" in told.says
    assert "(forward pass: tests/handgrad/diagnosis/test_in_jax.py, line " in told.says


@pytest.mark.slow
def test_a_function_of_scipy_has_a_link() -> None:
    def gradient(w: Any, x: Any, y: Any) -> Any:
        return x.T @ (2 * (expit(x @ w) - y)) / len(y)

    (told,) = check_gradient(gradient, of_expit, W, X, Y, points=0).diagnoses
    assert "the derivative of sigmoid is missing" in told.says


@pytest.mark.slow
def test_a_step_in_numpy_has_links() -> None:
    steps = [("tanh", lambda z: (np.tanh(z), np.tanh(z)), lambda d, h: d * (1 - h))]
    first = check_steps(steps, X).first_wrong
    assert first is not None
    assert [told.kind for told in first.report.diagnoses] == ["activation-derivative"]


def test_what_is_no_function_of_numpy_stays() -> None:
    copy: Any = in_jax(of_tanh)
    assert copy.__globals__["score"] is not score
    assert copy.__globals__["score"].__globals__["np"].tanh is jnp.tanh
    assert copy.__globals__["tanh"] is jnp.tanh
    assert copy.__globals__["check_gradient"] is check_gradient
    assert of_tanh.__globals__["np"] is np
    assert in_jax(len) is len


ONES = np.ones(2)

#: Neither Hermitian nor real on the diagonal.
Z = np.array([[3, 0.2 + 0.4j], [0.5 - 0.1j, 2]]) + 0.1j

#: What reads one triangle.
ONE_TRIANGLE: list[Any] = [
    lambda a: np.linalg.cholesky(a),
    lambda a: np.linalg.cholesky(a, upper=True),
    lambda a: np.linalg.eigvalsh(a),
    lambda a: abs(np.linalg.eigh(a, "U")[1][0]) ** 2,
    lambda a: np.linalg.svd(a, hermitian=True).S,
    lambda a: np.linalg.pinv(a, hermitian=True),
    lambda a: scipy.linalg.cholesky(a),
    lambda a: scipy.linalg.cho_solve(scipy.linalg.cho_factor(a, True), ONES),
    lambda a: scipy.linalg.eigh(a, lower=False, eigvals_only=True),
    lambda a: scipy.linalg.solve(a, ONES, assume_a="pos"),
    lambda a: scipy.linalg.solve(a, ONES, True, assume_a="hermitian"),
    lambda a: scipy.linalg.solve(a, ONES, assume_a="sym"),
    lambda a: scipy.linalg.solve_triangular(a, ONES, trans=1),
]


@pytest.mark.slow
@pytest.mark.parametrize("f", ONE_TRIANGLE)
@pytest.mark.parametrize("a", [Z.real, Z], ids=["real", "complex"])
def test_what_reads_one_triangle_does_so_in_jax(f: Any, a: Any) -> None:
    def loss(f: Any, re: Any, im: Any) -> Any:
        return (f(re + 1j * im if a is Z else re) ** 2).real.sum()

    at, h = np.stack([a.real, a.imag]), 1e-5
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        value, slopes = jax.value_and_grad(lambda at: loss(in_jax(f), *at))(jnp.asarray(at))
    assert value == pytest.approx(loss(f, *at), rel=1e-12)
    steps = h * np.eye(at.size).reshape(-1, *at.shape)
    quotients = [(loss(f, *(at + s)) - loss(f, *(at - s))) / (2 * h) for s in steps]
    # Differences err by the third derivative times h² / 6, and by rounding over h.
    assert np.ravel(slopes) == pytest.approx(quotients, abs=1e-9)


def even(n: int) -> Any:
    return np.cos(0.0) if n == 0 else odd(n - 1)


def odd(n: int) -> Any:
    return np.sin(0.0) if n == 0 else even(n - 1)


class Scaled:
    """A loss that is a method, as of a model."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def loss(self, w: Any) -> Any:
        return self.scale * np.sum(w)


def test_methods_and_partial_functions_too() -> None:
    method: Any = in_jax(Scaled(3.0).loss)
    assert method.__func__.__globals__["np"].tanh is jnp.tanh
    assert method(W) == 3.0 * jnp.sum(W)
    first: Any = in_jax(partial(score, x=X))
    assert first.func.__globals__["np"].tanh is jnp.tanh
    assert first.keywords["x"] is X


def test_functions_that_call_each_other_do_so_again() -> None:
    copy: Any = in_jax(even)
    assert copy.__globals__["odd"].__globals__["even"] is copy
    assert copy(4) == 1


@pytest.mark.slow
def test_lines_that_mean_something_else_have_no_links() -> None:
    """Beyond the end JAX takes the last element, where NumPy raises."""

    def at_the_end(w: Any) -> Any:
        try:
            return np.exp(w[3])
        except IndexError:
            return np.exp(2 * w[0])

    exact = np.array([2 * np.exp(2 * W[0]), 0.0, 0.0])
    with pytest.raises(AnotherLossError):
        engine(at_the_end_of_numpy(at_the_end), point_at(W, ()), exact)
    trial = check_gradient(lambda _: exact / 2, at_the_end_of_numpy(at_the_end), W, points=1).trial
    assert collected(trial)[0].engine is None


def at_the_end_of_numpy(loss: Any) -> Any:
    """A loss that JAX does not trace as it is."""
    return lambda w: np.asarray(loss(w)) * np.ones(1).sum()
