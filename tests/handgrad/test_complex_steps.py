"""Backward steps of complex numbers, and derivative rules of JAX."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_backward, check_custom, check_gradient, check_steps

RNG = np.random.default_rng(6)


def drawn(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)


A, B = drawn(3, 2), drawn(3)


def forward(a: Any, z: Any) -> Any:
    return jnp.asarray(a) @ z, (a, z)


def backward(c: Any, cache: Any) -> Any:
    """In JAX's convention: no conjugates, since products are holomorphic."""
    a, z = cache
    return np.outer(c, z), a.T @ c


def in_torch(c: Any, cache: Any) -> Any:
    return backward(c, jax.tree.map(np.conj, cache))


def of_one(c: Any, cache: Any) -> Any:
    return np.outer(c, cache[1].conj()), cache[0].T @ c


@pytest.mark.slow
@pytest.mark.parametrize("cotangent", [None, np.array([1.0, 2.0, -1.0]), B])
def test_backward_steps(cotangent: Any) -> None:
    at, options = (A, drawn(2)), {"cotangent": cotangent, "points": 2}
    right = check_backward(forward, backward, *at, **options)
    torchs = check_backward(forward, in_torch, *at, **options, convention="torch")
    wrong = check_backward(forward, of_one, *at, **options)
    other = check_backward(forward, in_torch, *at, **options)
    assert right.verdict == torchs.verdict == "agree", f"{right}\n{torchs}"
    assert {leaf for d in wrong.diagnoses for leaf in d.leaves} <= {"a.real", "a.imag"}
    assert wrong.verdict == "disagree"
    assert [d.kind for d in other.diagnoses] == ["convention"]


@pytest.mark.slow
def test_a_complex_output_of_real_inputs() -> None:
    def turned(x: Any) -> Any:
        return jnp.exp(1j * x), x

    def back(c: Any, x: Any) -> Any:
        return np.real(c * 1j * np.exp(1j * x))

    def torchs(c: Any, x: Any) -> Any:
        return back(c.conj(), x)

    x = np.array([0.3, -0.7])
    assert check_backward(turned, back, x, points=2).verdict == "agree"
    assert check_backward(turned, torchs, x, points=2, convention="torch").verdict == "agree"
    wrong = check_backward(turned, lambda c, x: c * 1j * np.exp(1j * x), x, points=2)
    assert wrong.findings[0].detail == "got complex128, expected float64"


@pytest.mark.slow
def test_chains_of_steps() -> None:
    def turned(x: Any) -> Any:
        return jnp.exp(1j * x), x

    def summed(z: Any) -> Any:
        return jnp.sum(z.real - 2 * z.imag), z

    def steps(sign: int) -> list[Any]:
        def back(c: Any, x: Any) -> Any:
            return np.real((c if sign < 0 else c.conj()) * 1j * np.exp(1j * x))

        return [("turn", turned, back), ("sum", summed, lambda d, z: d * (1 - 2j * sign) + 0 * z)]

    x = np.array([0.3, -0.7])
    assert check_steps(steps(-1), x, points=1).passes
    assert check_steps(steps(1), x, points=1, convention="torch").passes
    for wrong in (0, 1):
        mixed = [steps(1 if k == wrong else -1)[k] for k in (0, 1)]
        report = check_steps(mixed, x, points=1)
        assert [bool(step) for step in report.steps] == [k != wrong for k in (0, 1)]


def size(z: Any) -> Any:
    return jnp.abs(z).astype(z.dtype)


@jax.custom_vjp
def sized(z: Any) -> Any:
    return z * size(z)


def sized_back(z: Any, c: Any) -> Any:
    return (c * size(z) + jnp.real(c * z).astype(z.dtype) * jnp.conj(z) / size(z),)


sized.defvjp(lambda z: (sized(z), z), sized_back)


@jax.custom_jvp
def sized_wrongly(z: Any) -> Any:
    return z * size(z)


@sized_wrongly.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (z,), (dz,) = primals, tangents
    return sized_wrongly(z), size(z) * dz + z * jnp.real(z * dz).astype(z.dtype) / size(z)


@pytest.mark.slow
def test_rules_of_jax() -> None:
    z = drawn(2)
    assert check_custom(sized, z, points=2).verdict == "agree"
    report = check_custom(sized_wrongly, z, points=2)
    referenced = check_custom(sized_wrongly, z, points=2, reference=lambda z: z * size(z))
    assert report.verdict == referenced.verdict == "disagree"
    code = report.counterexample.as_code()
    assert "assert_custom(sized_wrongly, z" in code
    compile(code, "counterexample", "exec")


@pytest.mark.slow
def test_a_rule_in_a_loss_is_blamed_and_trusted() -> None:
    def loss(z: Any) -> Any:
        return jnp.sum(jnp.real(sized_wrongly(z)))

    def right(z: Any) -> Any:
        return np.abs(z) + z.real * z.conj() / np.abs(z)

    z = drawn(2)
    assert check_gradient(right, loss, z, points=2).blame == "autodiff"
    trusted = check_gradient(right, loss, z, points=2, trust_rules=["sized_wrongly"])
    assert trusted.verdict == "disagree"
