"""Jacobians by complex numbers and of complex values, and Hessians with complex numbers inside."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse
from scipy.sparse import linalg

from handgrad import check_hessian, check_hvp, check_jacobian, check_scipy
from handgrad.shrinking.counterexample import Counterexample
from tests.tiers import one_of_each

#: What type checkers guess of these from their code is too narrow.
sp: Any = scipy.sparse
LinearOperator: Any = linalg.LinearOperator

RNG = np.random.default_rng(7)


def drawn(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)


A, Z = drawn(2, 3), drawn(3)
X = np.array([0.3, 0.7])
W = np.array([0.3, 1.7, 0.9])
SIGNAL = RNG.standard_normal(5)
F = np.fft.rfft(np.eye(5)).T
HERMITIAN = A.conj().T @ A


def squares(z: Any) -> Any:
    """Holomorphic."""
    return A @ (z * z)


def of_squares(z: Any) -> Any:
    return 2 * A * z


def phases(x: Any) -> Any:
    """Complex values of real numbers."""
    return jnp.exp(1j * jnp.stack([x[0], x[0] * x[1], 2 * x[1]]).astype(complex))


def of_phases(x: Any) -> Any:
    turns = np.array([[1.0, 0.0], [x[1], x[0]], [0.0, 2.0]])
    return 1j * np.exp(1j * np.array([x[0], x[0] * x[1], 2 * x[1]]))[:, None] * turns


def powers(z: Any) -> Any:
    """Real values of complex numbers."""
    return jnp.abs(A @ z) ** 2


def of_powers(z: Any) -> Any:
    return 2 * (A @ z).conj()[:, None] * A


def mixed(z: Any) -> Any:
    """Not holomorphic: f = z₀·A·z̄."""
    return A @ z.conj() * z[0]


def wirtinger(z: Any) -> Any:
    """∂f/∂z and ∂f/∂z̄."""
    by_z = np.zeros_like(A)
    by_z[:, 0] = A @ z.conj()
    return by_z, A * z[0]


def of_mixed(z: Any) -> Any:
    """Of u = Re f it is 2·∂u/∂z, and ∂u/∂z = (∂f/∂z + conj(∂f/∂z̄)) / 2; of Im f with - and / i."""
    by_z, by_conjugate = wirtinger(z)
    return by_z + by_conjugate.conj(), (by_z - by_conjugate.conj()) / 1j


def conjugates(jac: Callable[..., Any]) -> Callable[..., Any]:
    def conjugate(x: Any) -> Any:
        found = jac(x)
        return tuple(m.conj() for m in found) if isinstance(found, tuple) else found.conj()

    return conjugate


class Model(NamedTuple):
    fun: Callable[..., Any]
    jac: Callable[..., Any]  #: in JAX's convention
    x: Any
    #: Wrong ones, and the words of the report; none if it only has to be found wrong.
    wrong: dict[str, tuple[Callable[..., Any], str]]


ONE_OF_TWO = "so a tuple of two is expected, of the real and of the imaginary part"
MODELS = {
    "holomorphic": Model(
        squares,
        of_squares,
        Z,
        {
            "the conjugate of a factor": (lambda z: 2 * A.conj() * z, ""),
            "of the argument": (lambda z: 2 * A * z.conj(), ""),
            "the real part": (lambda z: of_squares(z).real, ""),
            "PyTorch's": (conjugates(of_squares), 'pass convention="torch", or take the conjugate'),
        },
    ),
    "of real numbers": Model(
        phases,
        of_phases,
        X,
        {
            "without i": (lambda x: of_phases(x) / 1j, ""),
            "the conjugate": (conjugates(of_phases), "yours is the conjugate of exact"),
        },
    ),
    "to real numbers": Model(
        powers,
        of_powers,
        Z,
        {
            "no conjugate": (lambda z: 2 * (A @ z)[:, None] * A, ""),
            "Wirtinger's": (lambda z: of_powers(z) / 2, "is half of a gradient"),
        },
    ),
    "not holomorphic": Model(
        mixed,
        of_mixed,
        Z,
        {
            "Wirtinger's": (wirtinger, "yours are Wirtinger's derivatives by z and by its conj"),
            "by z alone": (
                lambda z: wirtinger(z)[0],
                f"not by its conjugate, which .*{ONE_OF_TWO}",
            ),
            "as if it were": (lambda z: of_mixed(z)[0], f"of the real part alone, .*{ONE_OF_TWO}"),
            "PyTorch's": (conjugates(of_mixed), 'pass convention="torch", or take the conjugate'),
        },
    ),
}
QUICK = ["not holomorphic"]


@pytest.mark.parametrize("name", one_of_each(list(MODELS), QUICK))
def test_right_in_its_convention(name: str) -> None:
    model = MODELS[name]
    right = check_jacobian(model.jac, model.fun, model.x, points=1)
    assert right.verdict == "agree"
    assert right.blame is None
    by_real = name == "of real numbers"  # where there is no choice
    in_torch = model.jac if by_real else conjugates(model.jac)
    options: dict[str, Any] = {"points": 0, "convention": "torch"}
    assert check_jacobian(in_torch, model.fun, model.x, **options).verdict == "agree"


EACH = [f"{name}: {wrong}" for name, model in MODELS.items() for wrong in model.wrong]


@pytest.mark.parametrize("which", one_of_each(EACH, ["holomorphic: the conjugate of a factor"]))
def test_a_wrong_one_is_told(which: str) -> None:
    name, _, wrong = which.partition(": ")
    model = MODELS[name]
    jac, says = model.wrong[wrong]
    report = check_jacobian(jac, model.fun, model.x, points=2 if says else 0)
    assert report.verdict == "disagree"
    if says:
        assert re.search(says, " ".join(d.says for d in report.diagnoses))


@pytest.mark.slow
def test_that_it_is_not_holomorphic_is_certified() -> None:
    def jac(z: Any) -> Any:
        return 3 * wirtinger(z)[0]

    report = check_jacobian(jac, mixed, Z, points=0)
    (found,) = [finding for finding in report.observed if finding.kind == "structure"]
    assert "the function is not holomorphic: the derivative of its real part" in found.detail
    right = check_jacobian(lambda z: 3 * of_squares(z), squares, Z, points=0)
    assert "structure" not in [finding.kind for finding in right.observed]


#: Right Jacobians as libraries return them, and in other forms: jac, fun, x.
FORMS: dict[str, tuple[Any, Any, Any]] = {
    "jax.jacobian": (lambda z: jax.jacobian(squares, holomorphic=True)(z), squares, Z),
    "jax.jacfwd": (lambda x: jax.jacfwd(phases)(x), phases, X),
    "jax.jacrev": (lambda z: jax.jacrev(powers)(z), powers, Z),
    "jax.jacrev twice": (
        lambda z: tuple(jax.jacrev(lambda z, p=p: p(mixed(z)))(z) for p in (jnp.real, jnp.imag)),
        mixed,
        Z,
    ),
    "NumPy": (lambda z: np.diag(np.exp(z)), lambda z: np.array([np.exp(w) for w in z]), Z),
    "lists": (
        lambda z: [[2 * z[0], 1], [z[1], z[0]]],
        lambda z: [z[0] ** 2 + z[1], z[0] * z[1]],
        Z[:2],
    ),
    "a transform of NumPy's": (lambda x: np.fft.fft(np.eye(5)), np.fft.fft, SIGNAL),
    "two rows": (
        lambda z: (np.array([2 * z[0], 1]), np.array([z[1], z[0]])),
        lambda z: jnp.stack([z[0] ** 2 + z[1], z[0] * z[1]]),
        Z[:2],
    ),
    "numbers": (lambda z: 2 * z, lambda z: z**2, 1.5 + 0.3j),
    "a number by a real one": (lambda t: 1j * np.exp(1j * t), lambda t: np.exp(1j * t), 0.4),
    "a conjugate": (lambda z: (1.0 + 0j, 1j), np.conj, 1.5 + 0.3j),
    "a real matrix": (lambda z: np.diag([1.0, 2.0, 3.0]), lambda z: np.array([1, 2, 3]) * z, Z),
    "sparse": (lambda z: sp.diags([2 * z], [0]), lambda z: z * z, Z),
    "float32": (
        lambda z: np.diag(2 * z),
        lambda z: z * z,
        Z.astype(np.complex64),
    ),
    "an operator": (
        lambda z: LinearOperator(
            (3, 3), lambda v: 2 * z * v.ravel(), lambda v: 2 * z.conj() * v.ravel(), dtype=complex
        ),
        lambda z: z * z,
        Z,
    ),
    "pytrees": (
        lambda t: {
            "u": {"a": np.diag(2 * t["a"]), "b": np.zeros((3, 2))},
            "v": {"a": np.ones((2, 3), complex), "b": np.diag(2 * t["b"])},
        },
        lambda t: {"u": t["a"] ** 2, "v": t["b"] ** 2 + jnp.real(t["a"].sum())},
        {"a": Z, "b": X},
    ),
}


@pytest.mark.parametrize("name", one_of_each(list(FORMS), ["a conjugate"]))
def test_forms(name: str) -> None:
    report = check_jacobian(*FORMS[name], points=0)
    assert report.verdict == "agree"
    assert report.certified


REFUSED = {
    "shape": (lambda z: of_squares(z).T, squares, Z, "jac: got shape (3, 2), expected (2, 3)"),
    "nothing": (lambda z: None, squares, Z, "jac returned None; is its return statement missing?"),
    "ragged": (lambda z: [[1, 2], [3]], squares, Z, "jac: got shape (2,), expected (2, 3)"),
    "complex": (
        lambda x: np.diag(2 * x) + 0j,
        lambda x: x * x,
        X,
        "got complex128, expected float64",
    ),
    "one of two": (
        lambda z: (of_mixed(z)[0], of_mixed(z)[1].T),
        mixed,
        Z,
        "jac: got shape (3, 2), expected (2, 3)",
    ),
}


@pytest.mark.parametrize("name", one_of_each(list(REFUSED), ["one of two", "ragged"]))
def test_another_form_is_told(name: str) -> None:
    *given, says = REFUSED[name]
    report = check_jacobian(*given, points=0)
    assert report.headline.startswith("disagree: ")
    assert report.headline.endswith(says)


def test_a_mask_holds_for_both_parts() -> None:
    def jac(z: Any) -> Any:
        return np.diag(2 * z + np.array([0, 5, 0]))

    free = np.array([True, False, True])
    assert check_jacobian(jac, lambda z: z * z, Z, points=1, domain=free).verdict == "agree"
    with pytest.raises(ValueError, match=r"^domain: got positive for z, expected a boolean array"):
        check_jacobian(jac, lambda z: z * z, Z, domain="positive")


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


def quartic(z: Any) -> Any:
    return jnp.real(jnp.vdot(z, HERMITIAN @ z)) + jnp.abs(z[0]) ** 4


def of_quartic(z: Any) -> Any:
    return 2 * np.conj(HERMITIAN @ z) + np.array([4 * np.abs(z[0]) ** 2 * z[0].conj(), 0, 0])


def by_quartic(z: Any, v: Any) -> Any:
    """The change of the gradient along v."""
    found = 2 * np.conj(HERMITIAN @ v)
    found[0] += 4 * np.conj(2 * np.abs(z[0]) ** 2 * v[0] + z[0] ** 2 * v[0].conj())
    return found


def without_conjugate(z: Any, v: Any) -> Any:
    found = 2 * np.conj(HERMITIAN @ v)
    found[0] += 4 * np.conj(2 * np.abs(z[0]) ** 2 * v[0] + z[0] ** 2 * v[0])
    return found


@pytest.mark.slow
def test_products_by_complex_numbers() -> None:
    assert check_hvp(by_quartic, quartic, Z, v=np.array([1.0, 2.0, 3.0]), points=1)

    def conjugate(z: Any, v: Any) -> Any:
        return by_quartic(z, v).conj()

    assert check_hvp(conjugate, quartic, Z, points=0, convention="torch").verdict == "agree"
    other = check_hvp(conjugate, quartic, Z, points=1)
    assert (other.verdict, other.diagnoses[0].kind) == ("disagree", "convention")
    wrong = check_hvp(without_conjugate, quartic, Z, points=0)
    assert wrong.verdict == "disagree"
    given = wrong.trial.outcomes[0].given
    found = Counterexample(given.params, given.inputs, "wrong", wrong.trial.case)
    assert "dtype=np.complex128" in found.as_code()


def test_a_hessian_by_complex_numbers_is_refused_in_one_line() -> None:
    with pytest.raises(TypeError, match=r"^z: got complex numbers, by which .* check_jacobian of"):
        check_hessian(lambda z: HERMITIAN, quartic, Z)


@pytest.mark.slow
def test_calls_of_scipy() -> None:
    def system(z: Any) -> Any:
        return [z[0] ** 2 + z[1] - 1, z[0] * z[1]]

    def jac(z: Any) -> Any:
        return np.array([[2 * z[0], 1], [z[1], z[0]]])

    assert check_scipy(system, [0.3 + 0.2j, 1j], jac=jac).verdict == "agree"
    calls = {"jac": of_quartic, "hessp": by_quartic}
    assert check_scipy(quartic, Z, **calls, points=[(2 * Z,)]).verdict == "agree"
    in_torch = check_scipy(quartic, Z, **calls, convention="torch", points=0)
    assert [in_torch[name].verdict for name in calls] == ["disagree", "disagree"]
