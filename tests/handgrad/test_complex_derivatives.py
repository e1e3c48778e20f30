"""Derivatives of real numbers with complex ones inside and in data; by complex ones none are."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_hessian, check_hvp, check_jacobian, check_scipy

RNG = np.random.default_rng(7)

Z = RNG.standard_normal(3) + 1j * RNG.standard_normal(3)
W = np.array([0.3, 1.7, 0.9])
SIGNAL = RNG.standard_normal(5)
F = np.fft.rfft(np.eye(5)).T


def powers(x: Any, a: Any) -> Any:
    return jnp.abs(a * x) ** 2


def of_powers(x: Any, a: Any) -> Any:
    return np.diag(2 * x * np.abs(a) ** 2)


def test_data_may_be_complex() -> None:
    assert check_jacobian(of_powers, powers, W, Z, points=1).verdict == "agree"
    wrong = check_jacobian(lambda x, a: np.diag(2 * x * (a**2).real), powers, W, Z, points=0)
    assert wrong.verdict == "disagree"


def spectrum(x: Any) -> Any:
    return jnp.sum(W * jnp.abs(jnp.fft.rfft(x)) ** 4)


def of_spectrum(x: Any) -> Any:
    """Σ w·(q²)″ for q = |Fx|²: 2·w·(∇q·∇qᵀ + q·∇²q)."""
    y = F @ x
    slopes = 2 * (y.conj()[:, None] * F).real
    q = np.abs(y) ** 2
    return 2 * slopes.T @ (W[:, None] * slopes) + 4 * (F.conj().T @ ((W * q)[:, None] * F)).real


def in_numpy(x: Any) -> Any:
    return np.sum(W * np.abs(np.fft.rfft(x)) ** 4)


@pytest.mark.slow
def test_hessians_of_signals_are_certified() -> None:
    right = [
        check_hessian(of_spectrum, spectrum, SIGNAL, points=1),
        check_hessian(of_spectrum, in_numpy, SIGNAL, points=0),
        check_hvp(lambda x, v: of_spectrum(x) @ v, in_numpy, SIGNAL, points=0),
    ]
    assert [(report.verdict, report.certified) for report in right] == [("agree", True)] * 3
    translated = ["in jax.numpy in place of NumPy" in report.certificate for report in right]
    assert translated == [False, True, True]

    def no_conjugate(x: Any) -> Any:
        slopes = 2 * ((F @ x)[:, None] * F).real
        return of_spectrum(x) + 2 * slopes.T @ (W[:, None] * slopes)

    for wrong in (no_conjugate, lambda x: np.tril(of_spectrum(x))):
        assert check_hessian(wrong, in_numpy, SIGNAL, points=0).verdict == "disagree"


def loss(x: Any) -> Any:
    return jnp.sum(jnp.abs(x) ** 2)


PARTS = "got complex numbers, expected their real and imaginary parts"
REFUSED = {
    "a Jacobian": (lambda: check_jacobian(np.diag, np.square, Z), f"x: {PARTS}"),
    "a Hessian": (lambda: check_hessian(np.diag, loss, Z), f"x: {PARTS}"),
    "a product": (lambda: check_hvp(lambda _, v: 2 * v, loss, Z), f"x: {PARTS}"),
    "along": (lambda: check_hvp(lambda _, v: 2 * v, loss, W, v=Z), f"v: {PARTS}"),
    "in a list": (lambda: check_jacobian(np.diag, lambda z: z, [1j, 2.0]), f"z: {PARTS}"),
    "a call": (lambda: check_scipy(lambda z: [z[0], z[1]], [1j, 2.0], jac=np.diag), f"z: {PARTS}"),
    "results": (
        lambda: check_jacobian(np.diag, lambda x: x * 1j, W),
        "fun: got complex results, expected their real and imaginary parts",
    ),
    "a loss": (
        lambda: check_hessian(np.diag, lambda x: np.sum(1j * x), W),
        "loss: got complex results, expected their real and imaginary parts",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_complex_numbers_are_refused_in_one_line(name: str) -> None:
    check, says = REFUSED[name]
    with pytest.raises(TypeError) as refused:
        check()
    assert str(refused.value) == says


def test_a_complex_answer_is_of_another_dtype() -> None:
    report = check_jacobian(lambda x: np.diag(2 * x) + 0j, lambda x: x * x, W, points=0)
    assert report.headline == "disagree: jac: got complex128, expected float64"


def test_a_gradient_in_a_call_of_scipy() -> None:
    assert check_scipy(loss, Z, jac=lambda z: 2 * z.conj(), points=0).verdict == "agree"
    called = check_scipy(loss, Z, jac=lambda z: 2 * z, points=0, convention="torch")
    assert called.verdict == "agree"
