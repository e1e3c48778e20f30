"""A NumPy loss: the call that stops JAX, and what to write in its place."""

import math
import statistics
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
import scipy.special
from numpy import exp
from scipy.stats import norm

from handgrad import check_gradient, check_jacobian
from handgrad.judging.untraceable import explanation


def with_numpy(w: Any) -> Any:
    return jnp.sum(np.exp(w))


def with_an_imported_name(w: Any) -> Any:
    return jnp.sum(exp(w))


def with_math(w: Any) -> Any:
    return math.tanh(w[0])


def with_scipy(w: Any) -> Any:
    return jnp.sum(scipy.special.expit(w))


def with_a_distribution(w: Any) -> Any:
    return -jnp.sum(norm.logpdf(w))


def with_what_jax_lacks(w: Any) -> Any:
    return np.asfortranarray(w)


def with_a_module_that_jax_lacks(w: Any) -> Any:
    return np.polynomial.polynomial.polyval(2, w)


def with_a_long_call(w: Any) -> Any:
    return jnp.sum(np.exp(w + 1.0 + 2.0 + 3.0 + 4.0 + 5.0 + 6.0))


def with_float(w: Any) -> Any:
    return float(w[0])


def with_if(w: Any) -> Any:
    return w[0] if w[0] > 0 else -w[0]


def in_a_helper(w: Any) -> Any:
    return with_numpy(w)


@pytest.mark.parametrize(
    ("loss", "stopped", "advice"),
    [
        (with_numpy, "np.exp(w)", "write jnp.exp(w) (import jax.numpy as jnp)"),
        (in_a_helper, "np.exp(w)", "write jnp.exp(w) (import jax.numpy as jnp)"),
        (with_an_imported_name, "exp(w)", "write jnp.exp(w) (import jax.numpy as jnp)"),
        (with_math, "math.tanh(w[0])", "write jnp.tanh(w[0]) (import jax.numpy as jnp)"),
        (with_scipy, "scipy.special.expit(w)", "write jax.scipy.special.expit(w)"),
        (with_a_distribution, "norm.logpdf(w)", "write jax.scipy.stats.norm.logpdf(w)"),
        (with_what_jax_lacks, "np.asfortranarray(w)", "write it with jax.numpy"),
        (with_a_module_that_jax_lacks, "np.polynomial.polynomial.polyval(2, w)",
         "write it with jax.numpy"),
        (with_a_long_call, "np.exp(...)", "write jnp.exp(...) (import jax.numpy as jnp)"),
        (with_float, "float(w[0])", "leave the array as it is"),
        (with_if, "w[0] > 0", "a choice by value is jnp.where(condition, a, b), or jax.lax.cond"),
    ],
)  # fmt: skip
def test_the_call_and_its_form_in_jax(loss: Any, stopped: str, advice: str) -> None:
    with pytest.raises(Exception) as error:  # noqa: PT011 (JAX's, of several kinds)
        jax.make_jaxpr(loss)(np.ones(2))
    text = explanation(error.value)
    assert text is not None
    place, _, rest = text.partition(": ")
    line = (with_numpy if loss is in_a_helper else loss).__code__.co_firstlineno + 1
    assert place == f"tests/handgrad/test_untraceable.py, line {line}"
    assert rest == f"JAX cannot trace {stopped}; {advice}"


def test_an_installed_function_that_is_the_loss_itself() -> None:
    """No frame is the caller's own; it is a black box as any other."""

    def gradient(x: Any) -> Any:
        return 2 * (x - x.mean()) / 3

    def jac(a: Any) -> Any:
        units = np.eye(4).reshape(4, 2, 2)
        of_each = [scipy.linalg.expm_frechet(a, e, compute_expm=False) for e in units]
        return np.stack(of_each, axis=-1).reshape(2, 2, 2, 2)

    one = check_gradient(gradient, statistics.pvariance, np.array([-1.0, 0.5, 0.75]), points=0)
    other = check_jacobian(jac, scipy.linalg.expm, np.array([[0.3, -0.2], [0.7, 0.1]]), points=0)
    says = (
        "statistics.pvariance: this runs in floats, but JAX, which traces it, raised TypeError",
        "JAX cannot trace scipy.linalg.expm; write jax.scipy.linalg.expm",
    )
    for report, line in zip((one, other), says, strict=True):
        assert report.verdict == "agree"
        assert f"not certified: {line}" in " ".join(str(report).split())


def test_other_errors_are_not_explained() -> None:
    assert explanation(ValueError("x")) is None
    with pytest.raises(TypeError) as error:
        jax.grad(lambda w: w)(jnp.ones(2))
    assert explanation(error.value) is None
