"""Complex parameters and intermediates, and the two conventions of writing their gradients."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from handgrad import check_backward, check_gradient
from tests.corpus.case import Row, cases

# Phase retrieval: z from the squares of |a z|.

A = np.array([[1 + 2j, 0.5 - 1j], [0.3j, 2 + 1j], [-1 + 0.4j, 1 - 1j]])
SQUARES, Z = np.array([2.0, 3.0, 1.0]), np.array([0.3 - 0.2j, 0.7 + 0.4j])


def intensity(z: Any, a: Any, y: Any) -> Any:
    return jnp.sum((jnp.abs(a @ z) ** 2 - y) ** 2)


def by_field(z: Any, a: Any, y: Any) -> Any:
    u = a @ z
    return 4 * a.T @ ((abs(u) ** 2 - y) * u.conj())


def wirtinger_flow(z: Any, a: Any, y: Any) -> Any:
    """As papers on the method write it, by the conjugate of z: steepest ascent."""
    u = a @ z
    return 4 * a.conj().T @ ((abs(u) ** 2 - y) * u)


def square_without_conjugate(z: Any, a: Any, y: Any) -> Any:
    u = a @ z
    return 4 * a.T @ ((u**2 - y) * u.conj())


# A signal seen through a filter: real at both ends, complex between.

SIGNAL = np.array([0.4, -1.0, 0.7, 1.2, -0.3, 0.9, 0.1])
HEARD = np.array([0.1, -0.2, 0.5, 0.6, 0.0, 0.4, 0.3])
FILTER = np.array([1.0 + 0j, 0.7 - 0.4j, 0.2 - 0.5j, -0.1 - 0.2j])


def misfit(x: Any, h: Any, y: Any) -> Any:
    return jnp.sum((jnp.fft.irfft(h * jnp.fft.rfft(x), len(x)) - y) ** 2) / 2


def by_signal(x: Any, h: Any, y: Any) -> Any:
    r = np.fft.irfft(h * np.fft.rfft(x), len(x)) - y
    return np.fft.irfft(h.conj() * np.fft.rfft(r), len(x))


def filtered_again(x: Any, h: Any, y: Any) -> Any:
    """The filter for its adjoint, which runs backwards."""
    r = np.fft.irfft(h * np.fft.rfft(x), len(x)) - y
    return np.fft.irfft(h * np.fft.rfft(r), len(x))


def adjoint_for_inverse(x: Any, h: Any, y: Any) -> Any:
    """irfft is the adjoint of rfft only up to 1/n, which is in it already."""
    return by_signal(x, h, y) / len(x)


# A step of a network whose weights are complex, as PyTorch would be told its cotangents.

INPUT = np.array([[0.5 - 0.3j, 1.1 + 0.2j, -0.4 + 0.8j], [0.9j, -0.6 + 0.1j, 0.3 - 1.2j]])
WEIGHTS = np.array([[0.3 + 0.2j, -0.5j], [1.1 - 0.4j, 0.6 + 0.6j], [-0.7 + 0.1j, 0.2 - 0.9j]])


def layer(x: Any, w: Any) -> Any:
    z = x @ w
    return z * z, (x, w, z)


def layer_back(d: Any, cache: Any) -> Any:
    x, w, z = cache
    dz = d * (2 * z).conj()
    return dz @ w.conj().T, x.conj().T @ dz


def transposed_alone(d: Any, cache: Any) -> Any:
    x, w, z = cache
    dz = d * (2 * z).conj()
    return dz @ w.T, x.conj().T @ dz


def in_jax(d: Any, cache: Any) -> Any:
    x, w, z = cache
    dz = d * 2 * z
    return dz @ w.T, x.T @ dz


CASES = [
    # check_gradient by complex parameters.
    *cases("complex", check_gradient, intensity, Z, A, SQUARES, points=2)(
        Row("right", by_field),
        Row(
            "by the conjugate, as PyTorch writes it",
            wirtinger_flow,
            "right in PyTorch's convention",
            'convention="torch"',
        ),
        Row("u² for |u|²", square_without_conjugate, "z.imag: 2 of 2 elements"),
    ),
    # check_gradient by real parameters, through complex intermediates.
    *cases("fft", check_gradient, misfit, SIGNAL, FILTER, HEARD, points=2)(
        Row("right", by_signal),
        Row("the filter for its adjoint", filtered_again, "x: 7 of 7 elements"),
        Row("1/n twice", adjoint_for_inverse, "every element is 1/7 of exact"),
    ),
    # check_backward with convention="torch".
    *cases("convention", check_backward, layer, INPUT, WEIGHTS, convention="torch", points=2)(
        Row("right", layer_back),
        Row(
            "the transpose for the adjoint",
            transposed_alone,
            "x.real: 6 of 6 elements",
            "a conjugate is missing",
        ),
        Row("as JAX writes it", in_jax, "right in JAX's convention"),
    ),
]
