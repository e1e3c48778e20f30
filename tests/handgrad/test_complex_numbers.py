"""Gradients by complex numbers: both conventions, mistakes with conjugates, and their reports."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_backward, check_gradient, compare_gradients, exact_gradient
from tests.tiers import one_of_each

RNG = np.random.default_rng(5)


def drawn(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)


A, B, W = drawn(3, 2), drawn(3), drawn(3, 3)
HERMITIAN = W + W.conj().T
WEIGHTS = np.array([0.3, 1.7, 0.9, 2.1, 0.6])


class Model(NamedTuple):
    loss: Callable[..., Any]
    gradient: Callable[..., Any]  #: in JAX's convention
    wrong: dict[str, Callable[..., Any]]
    at: tuple[Any, ...]


def residuals(z: Any, a: Any, b: Any) -> Any:
    r = a @ z - b
    return jnp.sum(r.real**2 + r.imag**2)


def quadratic(z: Any, h: Any) -> Any:
    return jnp.real(jnp.vdot(z, h @ z))


def fidelity(a: Any, b: Any) -> Any:
    return jnp.abs(jnp.vdot(b, a)) ** 2


def spectrum(x: Any, w: Any) -> Any:
    return jnp.sum(w[: x.size // 2 + 1] * jnp.abs(jnp.fft.rfft(x)) ** 2)


def transformed(z: Any, w: Any) -> Any:
    return jnp.sum(w * jnp.abs(jnp.fft.fft(z)) ** 2)


def _spectrum(x: Any, w: Any) -> Any:
    n, half = x.size, x.size // 2 + 1
    beside = np.full(half, 0.5)  # what is left out is the conjugate of these
    beside[0] = 1
    return 2 * n * np.fft.irfft(beside * w[:half] * np.fft.rfft(x), n)


MODELS = {
    "residuals": Model(
        residuals,
        lambda z, a, b: 2 * a.T @ np.conj(a @ z - b),
        {
            "no conjugate": lambda z, a, b: 2 * a.T @ (a @ z - b),
            "of the wrong factor": lambda z, a, b: 2 * a.conj().T @ np.conj(a @ z - b),
            "the real part": lambda z, a, b: (2 * a.T @ np.conj(a @ z - b)).real + 0j,
            "its real dtype": lambda z, a, b: (2 * a.T @ np.conj(a @ z - b)).real,
            "Wirtinger": lambda z, a, b: a.T @ np.conj(a @ z - b),
            "PyTorch's": lambda z, a, b: 2 * a.conj().T @ (a @ z - b),
        },
        (drawn(2), A, B),
    ),
    "a Hermitian form": Model(
        quadratic,
        lambda z, h: 2 * np.conj(h @ z),
        {
            "transposed": lambda z, h: 2 * np.conj(h.T @ z),
            "no conjugate": lambda z, h: 2 * h.T @ z,
            "half": lambda z, h: np.conj(h @ z),
        },
        (drawn(3), HERMITIAN),
    ),
    "fidelity": Model(
        fidelity,
        lambda a, b: 2 * np.vdot(a, b) * b.conj(),
        {
            "b": lambda a, b: 2 * np.vdot(a, b) * b,
            "the overlap": lambda a, b: 2 * np.vdot(b, a) * b.conj(),
            "its size": lambda a, b: 2 * np.abs(np.vdot(a, b)) * b.conj(),
        },
        (drawn(3), B),
    ),
    "a spectrum": Model(
        spectrum,
        _spectrum,
        {
            "1/n": lambda x, w: _spectrum(x, w) / x.size,
            "twice": lambda x, w: 2 * x.size * np.fft.irfft(w[:3] * np.fft.rfft(x), x.size),
        },
        (RNG.standard_normal(5), WEIGHTS),
    ),
    "a transform": Model(
        transformed,
        lambda z, w: np.conj(2 * z.size * np.fft.ifft(w * np.fft.fft(z))),
        {
            "fft for ifft": lambda z, w: np.conj(2 * np.fft.fft(w * np.fft.fft(z))),
            "1/n": lambda z, w: np.conj(2 * np.fft.ifft(w * np.fft.fft(z))),
            "no conjugate": lambda z, w: 2 * z.size * np.fft.ifft(w * np.fft.fft(z)),
        },
        (drawn(5), WEIGHTS),
    ),
}

SHORT = {np.float64: np.float32, np.complex128: np.complex64}


def shortened(at: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(array.astype(SHORT[array.dtype.type]) for array in at)


BOTH = [f"{name} in {size}" for name in MODELS for size in ("complex128", "complex64")]


@pytest.mark.parametrize("which", one_of_each(BOTH, ["residuals in complex128"]))
def test_right_ones(which: str) -> None:
    name, _, size = which.partition(" in ")
    loss, gradient, _, at = MODELS[name]

    def typed(p: Any, *inputs: Any) -> Any:  # np.fft computes in float64, at times
        return gradient(p, *inputs).astype(p.dtype)

    report = check_gradient(typed, loss, *(shortened(at) if size == "complex64" else at), points=1)
    assert report.verdict == "agree", str(report)
    assert report.blame is None, str(report)


WRONG = [f"{name}: {mistake}" for name, model in MODELS.items() for mistake in model.wrong]


@pytest.mark.parametrize("which", one_of_each(WRONG, ["residuals: of the wrong factor"]))
def test_wrong_ones(which: str) -> None:
    name, _, mistake = which.partition(": ")
    loss, _, wrong, at = MODELS[name]
    for given in (at, shortened(at)):
        report = check_gradient(wrong[mistake], loss, *given, points=1)
        assert report.verdict == "disagree", str(report)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mistake", "kind", "says"),
    [
        ("PyTorch's", "convention", "right in PyTorch's convention"),
        ("Wirtinger", "factor", "half of a gradient"),
        ("the real part", "zero", "yours is 0 in every element of z.imag"),
        ("its real dtype", "dtype", "z: got float64, expected complex128"),
        ("no conjugate", "sign", "a @ z - b"),
    ],
)
def test_what_is_said_of_a_mistake(mistake: str, kind: str, says: str) -> None:
    loss, _, wrong, at = MODELS["residuals"]
    report = check_gradient(wrong[mistake], loss, *at)
    assert kind in {finding.kind for finding in report.findings}, str(report)
    assert says.lower() in " ".join(str(report).split()).lower()


def test_the_conventions_are_conjugates() -> None:
    def loss(p: Any) -> Any:
        return p["s"] * jnp.sum(p["z"].real ** 2 - 3 * p["z"].imag)

    def gradient(p: Any, sign: int = -1) -> Any:
        z = p["z"]
        return {"s": np.sum(z.real**2 - 3 * z.imag), "z": p["s"] * (2 * z.real - 3j * sign)}

    p = {"s": np.float64(1.3), "z": drawn(2)}
    jaxs = check_gradient(gradient, loss, p, points=0)
    torchs = check_gradient(lambda p: gradient(p, 1), loss, p, points=0, convention="torch")
    other = check_gradient(lambda p: gradient(p, 1), loss, p, points=2)
    assert jaxs.verdict == torchs.verdict == "agree"
    assert other.verdict == "disagree"
    assert [leaf.path for leaf in jaxs.leaves] == ["p['s']", "p['z'].real", "p['z'].imag"]
    assert other.diagnoses[0].kind == "convention"
    assert 'pass convention="torch"' in other.diagnoses[0].says
    assert "convention='torch'" in torchs.reproduce
    assert json.loads(json.dumps(other.to_dict()))["verdict"] == "disagree"


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda g, z: check_gradient(g, lambda z: jnp.sum(z * z), z), TypeError, "jnp.real"),
        (
            lambda g, z: check_gradient(g, residuals, z, A, B, convention="pytorch"),
            ValueError,
            "convention: got 'pytorch', expected one of jax, torch",
        ),
        (
            lambda g, z: compare_gradients({"g": g}, residuals, z, A, B, convention={"h": "jax"}),
            ValueError,
            "convention: got the name 'h'",
        ),
        (
            lambda g, z: check_backward(lambda z: (z, 0), g, z, convention="numpy"),
            ValueError,
            "convention: got 'numpy'",
        ),
    ],
)
def test_refused(call: Any, error: Any, says: str) -> None:
    with pytest.raises(error, match=says) as raised:
        call(lambda z, *_: z, drawn(2))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("gradient", "says"),
    [
        (lambda _: None, "is its return statement missing?"),
        (lambda _: 3.0 + 1j, r"got shape (), expected (2,)"),
        (lambda z: z[:1], r"got shape (1,), expected (2,)"),
        (lambda z: (z, z), "a complex array of shape (2,)"),
        (lambda z: np.multiply(z, 2, out=z), "wrote to its argument"),
        (lambda z: np.full_like(z, np.nan), "nan"),
    ],
)
def test_faults_of_form(gradient: Any, says: str) -> None:
    def loss(z: Any) -> Any:
        return jnp.sum(z.real - z.imag)

    report = check_gradient(gradient, loss, drawn(2), points=0)
    assert report.verdict == "disagree"
    assert says in " ".join(str(report).split())


@pytest.mark.parametrize("z", [1 + 2j, np.complex64(1 + 2j), np.array(1 + 2j), np.array([[3j]])])
def test_any_shape(z: Any) -> None:
    def loss(z: Any) -> Any:
        return jnp.sum(jnp.real(z * jnp.conj(z)))

    report = check_gradient(lambda z: 2 * np.conj(z), loss, z, points=0)
    assert report.verdict == "agree", str(report)


def test_at_0() -> None:
    """|z|² is smooth where |z| is not, and has a kink there if z is real by its program."""
    z = np.array([0j, 1 + 1j])
    square = check_gradient(np.conj, lambda z: jnp.sum(jnp.abs(z) ** 2) / 2, z, points=0)
    size = check_gradient(np.conj, lambda z: jnp.sum(jnp.abs(z)), z, points=0)
    real = check_gradient(
        lambda x: 0.4 * np.ones(1), lambda x: jnp.abs(x + 0j)[0], np.zeros(1), points=0
    )
    assert square.verdict == "agree"
    assert (size.verdict, size.headline) == (
        "undecidable",
        "undecidable: the exact gradient is not finite",
    )
    assert real.verdict == "agree"


@pytest.mark.slow
def test_versions_each_in_its_convention() -> None:
    versions = {"jax": jax.grad(quadratic), "by hand": lambda z, h: 2 * h @ z}
    report = compare_gradients(versions, quadratic, drawn(3), HERMITIAN, points=1)
    assert report.failing == ("by hand",)
    stated = {"by hand": "torch"}
    assert compare_gradients(
        versions, quadratic, drawn(3), HERMITIAN, points=1, convention=stated
    ).passes


@pytest.mark.slow
def test_a_counterexample_runs() -> None:
    loss, _, wrong, at = MODELS["residuals"]
    code = check_gradient(wrong["no conjugate"], loss, *at, points=1).counterexample.as_code()
    names = {"gradient": wrong["no conjugate"], "residuals": loss}
    names["loss"] = loss
    exec(compile(code, "counterexample", "exec"), names)
    names["gradient"] = wrong["no conjugate"]
    with pytest.raises(AssertionError, match="disagree"):
        names["test_gradient_where_it_is_wrong"]()
    assert "dtype=np.complex128" in code


@pytest.mark.slow
def test_losses_in_numpy() -> None:
    def loss(z: Any, w: Any) -> Any:
        return np.sum(w * np.abs(np.fft.fft(z)) ** 2)

    _, gradient, wrong, at = MODELS["a transform"]
    right = check_gradient(gradient, loss, *at, points=2)
    assert right.verdict == "agree", str(right)
    assert "in jax.numpy in place of NumPy" in right.certificate
    assert check_gradient(wrong["no conjugate"], loss, *at, points=2).verdict == "disagree"


def test_the_exact_gradient_has_both_derivatives() -> None:
    z = np.array([1 + 2j])
    found = exact_gradient(lambda z: jnp.sum(z.real**2 - 3 * z.imag), z)
    assert float(found.real[0].midpoint) == 2
    assert float(found.imag[0].midpoint) == -3
