"""Complex parameters and intermediates, and the two conventions of writing their gradients."""

from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np

from examples.features.table import Feature, right, wrong
from handgrad import check_backward, check_gradient

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


def of_intensity(gradient: Any) -> Any:
    return partial(check_gradient, gradient, intensity, Z, A, SQUARES, points=2)


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


def of_signal(gradient: Any) -> Any:
    return partial(check_gradient, gradient, misfit, SIGNAL, FILTER, HEARD, points=2)


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


def of_layer(backward: Any) -> Any:
    return partial(check_backward, layer, backward, INPUT, WEIGHTS, convention="torch", points=2)


FEATURES = {
    "complex": Feature(
        "check_gradient by complex parameters",
        right(of_intensity(by_field)),
        wrong(
            "by the conjugate, as PyTorch writes it",
            of_intensity(wirtinger_flow),
            "right in PyTorch's convention",
            'convention="torch"',
        ),
        wrong("u² for |u|²", of_intensity(square_without_conjugate), "z.imag: 2 of 2 elements"),
    ),
    "fft": Feature(
        "check_gradient by real parameters, through complex intermediates",
        right(of_signal(by_signal)),
        wrong("the filter for its adjoint", of_signal(filtered_again), "x: 7 of 7 elements"),
        wrong(
            "1/n twice",
            of_signal(adjoint_for_inverse),
            "every element is 1/7 of exact",
        ),
    ),
    "convention": Feature(
        'check_backward with convention="torch"',
        right(of_layer(layer_back)),
        wrong(
            "the transpose for the adjoint",
            of_layer(transposed_alone),
            "x.real: 6 of 6 elements",
            "a conjugate is missing",
        ),
        wrong("as JAX writes it", of_layer(in_jax), "right in JAX's convention"),
    ),
}
