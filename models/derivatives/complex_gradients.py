"""Gradients by complex numbers by hand, in JAX's convention: ∂L/∂x - i ∂L/∂y of z = x + iy."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from models.derivatives.derivative import changing, complex_normal, times
from models.helpers import normal
from models.model import COMPLEX, named, of_derivative

#: What a conjugate that is missing, or too many, is called: it turns the sign of an imaginary part.
CONJUGATE = "convention sign"

#: Mistakes that any complex gradient may have.
CHANGES = {
    "other-convention: the conjugate, as PyTorch has it": named("convention", changing(np.conj)),
    "wirtinger: half of it, Wirtinger's ∂L/∂z": named("factor", changing(lambda found: found / 2)),
    "real-part: its real part alone": named("zero", changing(lambda found: found.real + 0j)),
    "1e-3: one element off by 1e-3 of itself": times(1 + 1e-3, 0),
    "1e-6: one imaginary part off by 1e-6 of itself": changing(
        lambda found: found + 1e-6j * found.imag * (np.arange(len(found)) == 1)
    ),
    "1e-9: one element off by 1e-9 of itself": times(1 + 1e-9, 2),
    "1e-12: one element off by 1e-12 of itself": times(1 + 1e-12, 2),
}


def square(z: Any) -> Any:
    """Compute |z|² of each."""
    return jnp.square(z.real) + jnp.square(z.imag)


def residuals_loss(z: Any, a: Any, b: Any, decay: Any) -> Any:
    """Σ |a z - b|² + decay Σ |z|²."""
    return jnp.sum(square(a @ z - b)) + decay * jnp.sum(square(z))


def residuals_gradient(z: Any, a: Any, b: Any, decay: Any) -> Any:
    # r = a z - b
    r = a @ z - b
    # L = Σ |r|² + decay Σ |z|²
    data, decayed = 2 * a.T @ np.conj(r), 2 * decay * np.conj(z)
    return data + decayed


def draw_residuals(rng: np.random.Generator, exact: float) -> Any:
    a, z = complex_normal(rng, 7, 4), complex_normal(rng, 4)
    return z, a, a @ z + exact * complex_normal(rng, 7), np.array(0.2)


RESIDUALS = of_derivative(
    *("complex-residuals", COMPLEX, residuals_loss, residuals_gradient),
    {
        "ordinary": lambda rng: draw_residuals(rng, 1.0),
        "nearly solved": lambda rng: draw_residuals(rng, 1e-7),
        "real numbers": lambda rng: (
            complex_normal(rng, 3).real + 0j,
            complex_normal(rng, 5, 3),
            normal(rng, 5) + 0j,
            np.array(0.2),
        ),
    },
    {
        "no-conjugate: r for its conjugate": named(CONJUGATE, ("np.conj(r)", "r")),
        "adjoint: aᴴ for aᵀ": named(CONJUGATE, ("a.T", "a.conj().T")),
        "decay-conjugate: z for its conjugate in the decay": named(
            f"weight-decay {CONJUGATE}", ("decay * np.conj(z)", "decay * z")
        ),
        "decay-factor: the 2 of the decay forgotten": named(
            "weight-decay factor", ("2 * decay", "decay")
        ),
        **CHANGES,
    },
    {
        "of-conjugate: the conjugate of 2 aᴴ r": (
            "2 * a.T @ np.conj(r)",
            "np.conj(2 * a.conj().T @ r)",
        ),
    },
)


def phases_loss(z: Any, a: Any, y: Any) -> Any:
    """Σ (|a z|² - y)² / 2: a signal by the sizes of what is measured of it."""
    return jnp.sum(jnp.square(square(a @ z) - y)) / 2


def phases_gradient(z: Any, a: Any, y: Any) -> Any:
    w = a @ z
    # r = |w|² - y
    r = w.real**2 + w.imag**2 - y
    # L = Σ r² / 2
    return 2 * a.T @ (r * np.conj(w))


def draw_phases(rng: np.random.Generator, scale: float) -> Any:
    z, a = scale * complex_normal(rng, 3), complex_normal(rng, 11, 3)
    return z, a, rng.uniform(0.5, 4.0, size=11)


PHASES = of_derivative(
    *("phase-retrieval", COMPLEX, phases_loss, phases_gradient),
    {
        "ordinary": lambda rng: draw_phases(rng, 1.0),
        "small": lambda rng: draw_phases(rng, 1e-6),
        "large": lambda rng: draw_phases(rng, 1e5),
    },
    {
        "no-conjugate: w for its conjugate": named(CONJUGATE, ("np.conj(w)", "w")),
        "adjoint: aᴴ for aᵀ": named(CONJUGATE, ("a.T", "a.conj().T")),
        "no-residual: the residual forgotten": named(
            "missing-factor", "return 2 * a.T @ np.conj(w)"
        ),
        "amplitude: |w| - y for |w|² - y": "r = np.abs(w) - y",
        "square: w² for |w|²": "r = w**2 - y",
        **CHANGES,
    },
    {
        "absolute: |w|² by the absolute value": "r = np.abs(w) ** 2 - y",
    },
)


def spectrum_loss(z: Any, w: Any, y: Any) -> Any:
    """Σ w |fft(z) - y|²: a signal by its weighted spectrum."""
    return jnp.sum(w * square(jnp.fft.fft(z) - y))


def spectrum_gradient(z: Any, w: Any, y: Any) -> Any:
    r = np.fft.fft(z) - y
    # L = Σ w |r|², r = F z - y; F is symmetric.
    dr = w * np.conj(r)
    return 2 * np.fft.fft(dr)


def draw_spectrum(rng: np.random.Generator, n: int, weights: Any) -> Any:
    return complex_normal(rng, n), weights, 3 * complex_normal(rng, n)


SPECTRUM = of_derivative(
    *("spectrum", COMPLEX, spectrum_loss, spectrum_gradient),
    {
        "ordinary": lambda rng: draw_spectrum(rng, 6, rng.uniform(0.2, 2.0, size=6)),
        "weights of many sizes": lambda rng: draw_spectrum(
            rng, 5, 10.0 ** -np.arange(0.0, 10.0, 2.0)
        ),
        "a prime length": lambda rng: draw_spectrum(rng, 7, np.ones(7)),
    },
    {
        "inverse: the inverse transform": named("operand", "return 2 * np.fft.ifft(dr)"),
        "no-conjugate: r for its conjugate": named(CONJUGATE, ("np.conj(r)", "r")),
        "adjoint: the adjoint transform": named(CONJUGATE, "return 2 * len(z) * np.fft.ifft(dr)"),
        "no-weights: the weights forgotten": named("missing-factor", "dr = np.conj(r)"),
        "unitary: the unitary transform": named(
            "factor", 'return 2 * np.fft.fft(dr, norm="ortho")'
        ),
        "shifted: the spectrum shifted": named("index", "dr = np.roll(w, 1) * np.conj(r)"),
        **CHANGES,
    },
    {
        "of-conjugate: the conjugate of the adjoint transform": (
            "return 2 * len(z) * np.conj(np.fft.ifft(w * r))"
        ),
    },
)


def rayleigh_loss(z: Any, w: Any) -> Any:
    """Rayleigh's quotient of the Hermitian matrix w + wᴴ."""
    h = w + jnp.conj(w).T
    return jnp.real(jnp.vdot(z, h @ z)) / jnp.sum(square(z))


def rayleigh_gradient(z: Any, w: Any) -> Any:
    h = w + np.conj(w).T
    norm = np.sum(z.real**2 + z.imag**2)
    value = np.real(np.vdot(z, h @ z)) / norm
    # L = zᴴ h z / |z|²
    dz = h @ z - value * z
    return 2 * np.conj(dz) / norm


def nearly_an_eigenvector(rng: np.random.Generator) -> Any:
    w = complex_normal(rng, 4, 4)
    return np.linalg.eigh(w + w.conj().T)[1][:, 0] + 1e-7 * complex_normal(rng, 4), w


RAYLEIGH = of_derivative(
    *("rayleigh", COMPLEX, rayleigh_loss, rayleigh_gradient),
    {
        "ordinary": lambda rng: (complex_normal(rng, 5), complex_normal(rng, 5, 5)),
        "nearly an eigenvector": nearly_an_eigenvector,
        "short": lambda rng: (1e-8 * complex_normal(rng, 3), complex_normal(rng, 3, 3)),
    },
    {
        "no-conjugate: z for its conjugate": named(CONJUGATE, "return 2 * dz / norm"),
        "transposed: hᵀ for h": named("transposed", "dz = h.T @ z - value * z"),
        "no-quotient: nothing comes back through |z|²": "dz = h @ z",
        "norm: |z| for |z|²": named("factor", "return 2 * np.conj(dz) / np.sqrt(norm)"),
        "not-hermitian: w for w + wᴴ": "h = w",
        "unconjugated-value: zᵀ h z for zᴴ h z": ("np.vdot(z, h @ z)", "(z @ (h @ z))"),
        **CHANGES,
    },
    {
        "of-conjugate: by hᵀ z̄": "return 2 * (h.T @ np.conj(z) - value * np.conj(z)) / norm",
    },
)


MODELS = (RESIDUALS, PHASES, SPECTRUM, RAYLEIGH)
