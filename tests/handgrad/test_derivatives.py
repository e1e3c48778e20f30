"""Jacobians, Hessians and products with them: right ones, mistakes that people make, forms."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse
from jax.experimental import sparse as jsp
from scipy.sparse import linalg

from handgrad import assert_jacobian, check_hessian, check_hvp, check_jacobian
from tests.tiers import one_of_each

#: What type checkers guess of these from their code is too narrow.
sp: Any = scipy.sparse
LinearOperator: Any = linalg.LinearOperator

T = np.linspace(0.0, 1.0, 7)
Y = np.exp(-T)
P = np.array([1.2, 0.7, 0.3])
X = np.linspace(-1.0, 1.3, 7)


def model(p: Any, t: Any, y: Any) -> Any:
    return p[0] * np.exp(-p[1] * t) + p[2] - y


def jacobian(p: Any, t: Any, _: Any) -> Any:
    e = np.exp(-p[1] * t)
    return np.stack([e, -p[0] * t * e, np.ones_like(t)], axis=1)


def squares(p: Any, t: Any, y: Any) -> Any:
    return 0.5 * np.sum(model(p, t, y) ** 2)


def hessian(p: Any, t: Any, y: Any) -> Any:
    j, r, e = jacobian(p, t, y), model(p, t, y), np.exp(-p[1] * t)
    h = j.T @ j
    h[0, 1] += r @ (-t * e)
    h[1, 0] += r @ (-t * e)
    h[1, 1] += r @ (p[0] * t**2 * e)
    return h


def band(x: Any) -> Any:
    """Broyden's tridiagonal function (Moré, Garbow and Hillstrom, 1981, problem 30)."""
    y = (3 - 2 * x) * x + 1
    y[1:] -= x[:-1]
    y[:-1] -= 2 * x[1:]
    return y


def bands(x: Any) -> Any:
    n = len(x)
    return sp.diags([-np.ones(n - 1), 3 - 4 * x, -2 * np.ones(n - 1)], [-1, 0, 1], format="csr")


def edited(edit: Callable[[Any], Any]) -> Callable[..., Any]:
    """The Jacobian of the model once something is done to it."""

    def wrong(*args: Any) -> Any:
        found = jacobian(*args)
        edit(found)
        return found

    return wrong


def times(where: Any, factor: float) -> Callable[..., Any]:
    return edited(lambda j: j.__setitem__(where, j[where] * factor))


#: Wrong Jacobians of the model, and the words of the report.
WRONG = {
    "data - model": (times(..., -1), "yours has the wrong sign in every element"),
    "a column's factor": (times(np.s_[:, 1], 2), "column 1 of jac is 2 times exact"),
    "a row's sign": (times(np.s_[3], -1), "row 3 of jac has the wrong sign"),
    "a row": (times(2, 0), "row 2 of jac is 0"),
    "columns": (lambda *a: jacobian(*a)[:, [1, 0, 2]], "columns 0 and 1 of jac are exchanged"),
    "a chain": (
        lambda p, t, y: np.stack([np.exp(-p[1] * t), -p[0] * np.exp(-p[1] * t), t**0], 1),
        "column 1 of jac is wrong, all else is right",
    ),
    "arguments": (lambda p, t, y: jacobian(p, y, t), "the arguments in the order y, t"),
    "one element": (times((4, 1), 1.01), "jac[4, 1] alone is off, by 0.01 of itself"),
}


@pytest.mark.parametrize("name", one_of_each(list(WRONG), ["arguments"]))
def test_a_wrong_jacobian(name: str) -> None:
    jac, says = WRONG[name]
    report = check_jacobian(jac, model, P, T, Y)
    assert report.verdict == "disagree"
    assert "worst in row" in report.headline
    assert [says in diagnosis.says for diagnosis in report.diagnoses] == [True]


def test_a_right_one_with_its_worst_element() -> None:
    report = check_jacobian(jacobian, model, P, T, Y)
    assert report.verdict == "agree"
    assert report.leaves[0].shape == (7, 3)
    assert report.reproduce == "check_jacobian(jacobian, model, p, t, y)"
    assert "every element by power series of fun" in report.certificate


@pytest.mark.slow
def test_the_transpose_of_a_square_one() -> None:
    report = check_jacobian(lambda x: bands(x).T.toarray(), band, X)
    assert "yours is the transpose of exact" in report.diagnoses[0].says
    assert "row 6, column 5" in report.headline


FORMS: dict[str, Callable[[Any], Any]] = {
    "csr": bands,
    "array": lambda x: sp.csc_array(bands(x)),
    "dense": lambda x: bands(x).toarray(),
    "matrix": lambda x: bands(x).todense(),
    "list": lambda x: bands(x).toarray().tolist(),
    "BCOO": lambda x: jsp.BCOO.fromdense(bands(x).toarray()),
    "COO of JAX": lambda x: jsp.COO.fromdense(bands(x).toarray()),
    "operator": lambda x: linalg.aslinearoperator(bands(x)),
    # A product that is written for vectors of shape (n,), as most are.
    "of vectors": lambda x: LinearOperator((7, 7), lambda v: np.zeros(7) + bands(x) @ v),
}


@pytest.mark.parametrize("name", one_of_each(list(FORMS), ["csr", "of vectors"]))
def test_forms_of_a_matrix(name: str) -> None:
    assert check_jacobian(FORMS[name], band, X, points=1).verdict == "agree"
    wrong = check_jacobian(lambda x: FORMS[name](x * 1.01), band, X, points=1)
    assert wrong.verdict == "disagree"


@pytest.mark.slow
def test_bands_beside_their_place() -> None:
    def jac(x: Any) -> Any:
        parts = [-np.ones(7), 3 - 4 * x[:-1], -2 * np.ones(5)]
        return sp.diags(parts, [0, 1, 2], format="csr")

    report = check_jacobian(jac, band, X)
    assert "the bands of jac stand 1 to the right" in report.diagnoses[0].says


def doubled_first(x: Any) -> Any:
    x[0] *= 2
    return x * x


#: Right Jacobians of other forms: jac, fun, x.
RIGHT: dict[str, tuple[Any, Any, Any]] = {
    "a single number": (np.cos, np.sin, 0.4),
    "of a single number": (lambda x: T * np.cos(x * T), lambda x: np.sin(x * T), 0.4),
    "1 by 1": (lambda x: np.array([[2 * x[0]]]), lambda x: x**2, np.array([1.5])),
    "a gradient": (lambda x: 2 * x, lambda x: (x * x).sum(), X),
    "one row": (lambda x: 2 * x, lambda x: np.sum(x * x, keepdims=True), X),
    "integers": (lambda _: np.zeros((7, 7)), lambda x: np.round(x).astype(int), X),
    "writes": (lambda x: np.diag(2 * x * (1 + 3 * (x == x[0]))), doubled_first, X),
    "no results": (lambda x: np.zeros((0, 7)), lambda x: x[:0], X),
    "lists": (
        lambda x: [[1, 2 * x[1]], [x[1], x[0]]],
        lambda x: [x[0] + x[1] ** 2, x[0] * x[1]],
        np.array([1.5, 2.0]),
    ),
    "float32": (lambda x: np.diag(2 * x), lambda x: x * x, X.astype(np.float32)),
    "in JAX": (lambda x: jnp.diag(jnp.cos(x)), jnp.sin, X),
    "more axes": (
        lambda x: np.einsum("ik,jl->ijkl", np.eye(2), np.eye(3)) * 2,
        lambda x: 2 * x,
        np.ones((2, 3)) / 3,
    ),
    "pytrees": (
        lambda x: {
            "u": {"a": jnp.diag(2 * x["a"]), "b": jnp.zeros(2)},
            "v": {"a": jnp.ones(2) * x["b"], "b": x["a"].sum()},
        },
        lambda x: {"u": x["a"] ** 2, "v": x["a"].sum() * x["b"]},
        {"a": np.array([1.5, 2.0]), "b": 0.3},
    ),
}


@pytest.mark.parametrize(
    "name", one_of_each(list(RIGHT), ["a single number", "integers", "writes"])
)
def test_right_ones(name: str) -> None:
    assert check_jacobian(*RIGHT[name], points=2).verdict == "agree"


def test_no_results_pass_a_test() -> None:
    assert_jacobian(*RIGHT["no results"])


def test_another_shape_is_told() -> None:
    report = check_jacobian(lambda *a: jacobian(*a).T, model, P, T, Y)
    assert report.headline == "disagree: jac: got shape (3, 7), expected (7, 3)"
    report = check_jacobian(lambda *_: [[1.0], [2.0, 3.0]], model, P, T, Y)
    assert report.headline == "disagree: jac: got shape (2,), expected (7, 3)"


def test_at_a_kink_there_is_no_jacobian() -> None:
    at = np.array([1.5, 0.0])
    report = check_jacobian(lambda x: np.diag(np.sign(x)), np.abs, at, points=0)
    assert report.headline == "undecidable: a kink or jump, which a Jacobian has no value at"
    # What ties and changes nothing is no kink.
    assert check_jacobian(lambda x: np.diag(2 * x), lambda x: np.abs(x) * np.abs(x), at)


#: Wrong Hessians of the sum of squares, and the words of the report.
WRONG_HESSIANS = {
    "upper triangle": (lambda *a: np.triu(hessian(*a)), "half of a symmetric matrix is filled"),
    "ridge": (lambda *a: hessian(*a) - 0.5 * np.eye(3), "the diagonal of hess lacks 0.5"),
}


@pytest.mark.parametrize("name", one_of_each(list(WRONG_HESSIANS), []))
def test_a_wrong_hessian(name: str) -> None:
    hess, says = WRONG_HESSIANS[name]
    report = check_hessian(hess, squares, P, T, Y)
    assert report.verdict == "disagree"
    assert says in report.diagnoses[0].says
    asymmetric = any("it is not symmetric" in found.detail for found in report.observed)
    assert asymmetric == (name == "upper triangle")


@pytest.mark.parametrize("loss", [squares, pytest.param("jax", marks=pytest.mark.slow)])
def test_right_hessians(loss: Any) -> None:
    def in_jax(p: Any, t: Any, y: Any) -> Any:
        return 0.5 * jnp.sum((p[0] * jnp.exp(-p[1] * t) + p[2] - y) ** 2)

    loss = in_jax if loss == "jax" else loss
    report = check_hessian(hessian, loss, P, T, Y)
    assert report.verdict == "agree"
    assert "whose numbers are series again" in report.certificate
    sparse = check_hessian(lambda x: sp.diags([6 * x], [0]), lambda x: (x**3).sum(), X, points=1)
    assert sparse.verdict == "agree"


WRONG_PRODUCTS = {
    "last element": (lambda p, v, *a: hessian(p, *a)[:, :-1] @ v[:-1], "yours takes v[2] for 0"),
    "diagonal": (lambda p, v, *a: np.diag(hessian(p, *a)) * v, "the diagonal of the Hessian"),
    "normalised": (
        lambda p, v, *a: hessian(p, *a) @ v / np.linalg.norm(v),
        "yours is the product with v divided by its length",
    ),
    "another point": (lambda p, v, *a: hessian(p + 0.1, *a) @ v, None),
}


@pytest.mark.parametrize("name", one_of_each(list(WRONG_PRODUCTS), []))
def test_a_wrong_product(name: str) -> None:
    hessp, says = WRONG_PRODUCTS[name]
    report = check_hvp(hessp, squares, P, T, Y)
    assert report.verdict == "disagree"
    assert [d.says for d in report.diagnoses if says and says in d.says] or not says


def test_a_right_product() -> None:
    report = check_hvp(lambda p, v, *a: hessian(p, *a) @ v, squares, P, T, Y, points=1)
    assert report.verdict == "agree"
    assert report.leaves[0].path == "p"


def test_a_hessian_is_of_one_number() -> None:
    with pytest.raises(TypeError, match=r"loss: got a result of shape \(7,\), expected one real"):
        check_hessian(hessian, model, P, T, Y)


def test_a_wrong_rule_of_fun_excuses_nothing() -> None:
    """Autodiff is off by it, and what rounding explains is not measured by that."""

    @jax.custom_jvp
    def sine(x: Any) -> Any:
        return jnp.sin(x)

    sine.defjvp(lambda x, dx: (sine(*x), -jnp.cos(*x) * dx[0]))
    right = check_jacobian(lambda x: np.diag(np.cos(x)), sine, X, points=0)
    assert (right.verdict, right.blame) == ("agree", "autodiff")
    assert right.leaves[0].loose < 1e-12
    wrong = check_jacobian(lambda x: np.diag(-np.cos(x)), sine, X, points=0)
    assert (wrong.verdict, wrong.blame) == ("disagree", "both")


@pytest.mark.slow
def test_what_has_no_second_derivative_here_is_estimated() -> None:
    def loss(x: Any) -> Any:
        return jax.scipy.special.gammainc(2.5, x * x + 1).sum()

    at = np.array([0.5, -1.2])
    report = check_hessian(lambda x: jax.hessian(loss)(x), loss, at, points=0)
    assert (
        "not certified: there is no rule for `igamma`, differentiated twice" in report.warnings[0]
    )
    assert "power series" not in report.certificate


def test_no_answer_is_told() -> None:
    report = check_jacobian(lambda x: None, np.sin, X)
    assert "jac returned None; is its return statement missing?" in report.headline


@pytest.mark.slow
def test_a_banded_jacobian_of_200_variables() -> None:
    x = np.linspace(-1.0, 1.3, 200)
    assert check_jacobian(bands, band, x, points=2).verdict == "agree"


def test_a_list_of_numbers_is_an_array() -> None:
    """As SciPy takes where to start, also of a vector, and of points."""
    x, v = [1.5, 2.0], [1.0, -3.0]

    def jac(x: Any) -> Any:
        return [[2 * x[0], 0.0], [x[1], x[0]]]

    def fun(x: Any) -> Any:
        return np.array([x[0] ** 2, x[0] * x[1]])

    def loss(x: Any) -> Any:
        return x[0] ** 2 * x[1]

    def hess(x: Any) -> Any:
        return np.array([[2 * x[1], 2 * x[0]], [2 * x[0], 0.0]])

    assert check_jacobian(jac, fun, x, points=[([0.3, -0.7],)]).points == 2
    assert check_hessian(hess, loss, x, points=0).verdict == "agree"
    assert check_hvp(lambda x, v: hess(x) @ v, loss, x, v=v, points=0).verdict == "agree"
    assert check_hessian(lambda x: hess(x).T * 2, loss, x, points=0).verdict == "disagree"
