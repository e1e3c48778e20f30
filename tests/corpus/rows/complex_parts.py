"""Complex numbers with all that a check has: conventions, domains, steps, rules, other verbs."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad import (
    check_backward,
    check_custom,
    check_hessian,
    check_jacobian,
    check_scipy,
)
from tests.corpus.case import Row, cases
from tests.corpus.rows.not_known import at

RNG = np.random.default_rng(5)


def drawn(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)


A, B, Z, Z3, Z5 = drawn(3, 2), drawn(3), drawn(2), drawn(3), drawn(5)
WEIGHTS = np.array([0.3, 1.7, 0.9, 2.1, 0.6])
X, SIGNAL = np.array([0.5, -1.0]), RNG.standard_normal(5)
SHORT = tuple(array.astype(np.complex64) for array in (Z, A, B))

# Losses, each with its gradient in JAX's convention.


def residuals(z: Any, a: Any, b: Any) -> Any:
    r = a @ z - b
    return jnp.sum(r.real**2 + r.imag**2)


def of_residuals(z: Any, a: Any, b: Any) -> Any:
    return 2 * a.T @ np.conj(a @ z - b)


def transformed(z: Any, w: Any) -> Any:
    return np.sum(w * np.abs(np.fft.fft(z)) ** 2)


def of_transformed(z: Any, w: Any, inverse: Any = np.fft.ifft) -> Any:
    return np.conj(2 * z.size * inverse(w * np.fft.fft(z)))


def length(z: Any) -> Any:
    return jnp.sum(jnp.abs(z) ** 2)


def of_length(z: Any) -> Any:
    return 2 * np.conj(z)


def of_parts(p: Any) -> Any:
    return p["s"] * jnp.sum(p["z"].real ** 2 - 3 * p["z"].imag)


def by_parts(p: Any, sign: int = -1) -> Any:
    z = p["z"]
    return {"s": np.sum(z.real**2 - 3 * z.imag), "z": p["s"] * (2 * z.real - 3j * sign)}


def by_torch(p: Any) -> Any:
    return by_parts(p, 1)


def called(z: Any) -> float:
    return float(sum(abs(complex(v)) ** 2 for v in z))


PARTS, MASK = {"s": np.float64(1.3), "z": Z}, np.array([True, False])

# Steps.


def product(a: Any, z: Any) -> Any:
    return jnp.asarray(a) @ z, (a, z)


def product_back(c: Any, cache: Any) -> Any:
    """In JAX's convention: no conjugates, since products are holomorphic."""
    a, z = cache
    return np.outer(c, z), a.T @ c


def in_torch(c: Any, cache: Any) -> Any:
    return product_back(c, jax.tree.map(np.conj, cache))


def if_rising(back: Any) -> Any:
    """For cotangents whose imaginary parts are not negative."""
    return lambda c, cache: back(c.real + 1j * np.abs(c.imag), cache)


def of_one(c: Any, cache: Any) -> Any:
    return np.outer(c, cache[1].conj()), cache[0].T @ c


def called_step(z: Any) -> Any:
    return np.array([sum(complex(v) ** 2 for v in z)]), z


def turned(x: Any) -> Any:
    return jnp.exp(1j * x), x


def turned_back(c: Any, x: Any) -> Any:
    return np.real(c * 1j * np.exp(1j * x))


# Rules.


def ruled(slope: Any) -> Any:
    """Return z²·conj(z) with a rule that takes `slope(z)` for z² beside the conjugate's tangent."""

    @jax.custom_jvp
    def f(z: Any) -> Any:
        return z * z * jnp.conj(z)

    @f.defjvp
    def rule(at: Any, along: Any) -> Any:
        (z,), (dz,) = at, along
        return f(z), 2 * z * jnp.conj(z) * dz + slope(z) ** 2 * jnp.conj(dz)

    return f


OFF = ruled(jnp.conj)


def of_ruled(z: Any) -> Any:
    return jnp.sum(jnp.real(OFF(z)))


def of_cube(z: Any) -> Any:
    return 3 * z.real**2 + z.imag**2 - 2j * z.real * z.imag


# Derivatives of real numbers, with complex ones inside and in data.

THREE, F = WEIGHTS[:3], np.fft.rfft(np.eye(5)).T


def powers(x: Any, a: Any) -> Any:
    return jnp.abs(a * x) ** 2


def fourth_powers(x: Any) -> Any:
    return np.sum(THREE * np.abs(np.fft.rfft(x)) ** 4)


def of_fourth_powers(x: Any, conjugate: Any = np.conj) -> Any:
    """Σ w·(q²)″ for q = |Fx|²: 2·w·(∇q·∇qᵀ + q·∇²q)."""
    y = F @ x
    slopes, q = 2 * (conjugate(y)[:, None] * F).real, np.abs(y) ** 2
    return (
        2 * slopes.T @ (THREE[:, None] * slopes)
        + 4 * (F.conj().T @ ((THREE * q)[:, None] * F)).real
    )


REFUSED, WRONG = {"verdict": "raised"}, {"verdict": "disagree"}
NO_COMPLEX = "got complex numbers, expected their real and imaginary parts"
NO_RESULTS = "got complex results, expected their real and imaginary parts"
NO_DOMAIN = "for z, expected a boolean array or None for what is complex"


CASES = [
    *at("residuals", residuals, Z, A, B, points=1)(
        Row("right", of_residuals, blame=None),
        Row("no conjugate", lambda z, a, b: 2 * a.T @ (a @ z - b), "a @ z - b", kinds=("sign",)),
        Row("that of another factor", lambda z, a, b: 2 * a.conj().T @ np.conj(a @ z - b)),
        Row(
            "its real part",
            lambda *at: of_residuals(*at).real + 0j,
            "yours is 0 in every element of z.imag",
            kinds=("zero",),
        ),
        Row(
            "its real part, as real numbers",
            lambda *at: of_residuals(*at).real,
            "z: got float64, expected complex128",
        ),
        Row("Wirtinger's", lambda *at: of_residuals(*at) / 2, "half of a gradient"),
    ),
    *at("residuals in complex64", residuals, *SHORT, points=1)(
        Row("right in 32 bits", of_residuals, verdict="agree", blame=None),
        Row("no conjugate", lambda z, a, b: 2 * a.T @ (a @ z - b)),
    ),
    *at("a spectrum in NumPy", transformed, Z5, WEIGHTS, points=1)(
        Row("right", of_transformed, "in jax.numpy in place of NumPy"),
        Row("no conjugate", lambda z, w: of_transformed(z, w).conj()),
        Row("fft for ifft", lambda z, w: of_transformed(z, w, np.fft.fft)),
    ),
    *at("real and complex parameters", of_parts, PARTS, points=2)(
        Row("right", by_parts),
        Row("PyTorch's", by_torch, 'pass convention="torch"', kinds=("convention",)),
    ),
    *at("in PyTorch's convention", of_parts, PARTS, convention="torch")(
        Row("right", by_torch, "convention='torch'")
    ),
    *at("a difference of parts", lambda z: jnp.sum(z.real - z.imag), Z)(
        Row("None", lambda _: None, "is its return statement missing?"),
        Row("a number", lambda _: 3.0 + 1j, "got shape (), expected (2,)"),
        Row("two arrays", lambda z: (z, z), "a complex array of shape (2,)"),
        Row("written to", lambda z: np.multiply(z, 2, out=z), "wrote to its argument"),
        Row("not a number", lambda z: np.full_like(z, np.nan), "nan"),
    ),
    *at("a complex number", length, 1 + 2j)(Row("right", of_length)),
    *at("a square at 0", length, np.array([0j, 1 + 1j]))(Row("right", of_length)),
    *at("sizes at 0", lambda z: jnp.sum(jnp.abs(z)), 0 * Z)(
        Row("0", np.conj, "the exact gradient is not finite", verdict="undecidable")
    ),
    *at("a size of what is real", lambda x: jnp.abs(x + 0j)[0], 0 * X)(
        Row("between its slopes", lambda x: 0.4 * np.array([1.0, 0]))
    ),
    # Options.
    *at("a mask", length, Z, domain=MASK, points=1)(
        Row("right inside", lambda z: of_length(z) * MASK),
        Row("outside", lambda z: of_length(z) * ~MASK),
    ),
    *at("a domain", length, Z, domain="positive")(Row("right", of_length, NO_DOMAIN, **REFUSED)),
    *at("a loss that can only be called", called, Z, points=1)(
        Row("right", of_length, "not certified"),
        Row("1.1 times", lambda z: 1.1 * of_length(z)),
    ),
    # Steps and rules.
    *cases("a product", check_backward, product, A, Z, points=2)(
        Row("right", product_back),
        Row("the conjugate of one", of_one, "a conjugate is missing", never=("z.real: 2 of",)),
        Row("PyTorch's", in_torch, kinds=("convention",)),
    ),
    *cases("a product's cotangent", check_backward, product, A, Z, cotangent=B, points=0)(
        Row("right", product_back)
    ),
    *(
        case
        for convention, back in (("jax", product_back), ("torch", in_torch))
        for case in cases(
            f"a product's cotangent, convention of {convention}",
            *(check_backward, product, A, Z),
            cotangent=np.abs(np.real(B)) + 1j * np.abs(np.imag(B)),
            convention=convention,
            points=0,
        )(Row("right for it alone", if_rising(back), "is not linear", "nonlinear", **WRONG))
    ),
    *cases("a step that can only be called", check_backward, called_step, Z, points=0)(
        Row("right", lambda c, z: 2 * c * z, "not certified")
    ),
    *cases("a step from reals", check_backward, turned, X, points=2)(
        Row("right", turned_back),
        Row("complex", lambda c, x: c * 1j * np.exp(1j * x), "got complex128, expected", **WRONG),
    ),
    *cases("a cube by a rule", check_custom, None, Z, points=[(2 * Z,)])(
        Row("right", ruled(lambda z: z), "2 points judged")
    ),
    *cases("second order of a cube", check_custom, None, Z, order=2, points=0)(
        Row("right", ruled(lambda z: z), "and at second order, too", verdict="agree"),
        Row("a constant", ruled(jax.lax.stop_gradient), "at second order: z.", **WRONG),
    ),
    *cases("a cube forwards", check_custom, None, Z, modes=("fwd",), points=0)(
        Row("a conjugate", OFF, "disagree in forward mode: z.")
    ),
    *at("a rule in a loss", of_ruled, Z, points=1)(Row("right", of_cube, blame="autodiff")),
    *at("a trusted rule", of_ruled, Z, trust_rules=[OFF])(Row("right", of_cube, **WRONG)),
    # Derivatives of other verbs.
    *cases("a Jacobian with complex data", check_jacobian, powers, WEIGHTS[:3], Z3, points=1)(
        Row("right", lambda x, a: np.diag(2 * x * np.abs(a) ** 2)),
        Row("a² for |a|²", lambda x, a: np.diag(2 * x * (a**2).real)),
        Row("complex", lambda x, a: np.diag(2 * x) + 0j, "jac: got complex128, expected float64"),
    ),
    *cases("a Hessian of a signal", check_hessian, fourth_powers, SIGNAL, points=0)(
        Row("right", of_fourth_powers, certified=True),
        Row("no conjugate", lambda x: of_fourth_powers(x, np.asarray)),
    ),
    *cases("a Jacobian by parts", check_jacobian, np.square, Z)(
        Row("right", np.diag, f"TypeError: x: {NO_COMPLEX}", **REFUSED)
    ),
    *cases("complex results", check_jacobian, lambda x: x * 1j, X)(
        Row("right", np.diag, f"TypeError: fun: {NO_RESULTS}", **REFUSED)
    ),
    *cases("complex unknowns", check_scipy, lambda z: [z[0], z[1]], [1j, 2.0])(
        Row("right", {"jac": np.diag}, f"TypeError: z: {NO_COMPLEX}", **REFUSED)
    ),
]
