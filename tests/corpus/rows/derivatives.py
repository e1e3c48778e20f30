"""Jacobians, Hessians and products: mistakes that people make, forms of matrices and arguments."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse
from jax.custom_derivatives import linear_call
from jax.experimental import sparse as jsp
from scipy.optimize import rosen, rosen_hess, rosen_hess_prod
from scipy.sparse import linalg

from handgrad import check_gradient, check_hessian, check_hvp, check_jacobian
from tests.corpus.case import Case, Row, cases
from tests.corpus.rows.black_boxes import W, curvature_of_tail, log_tail
from tests.corpus.rows.black_boxes import X as ROWS

#: What type checkers guess of these from their code is too narrow.
sp: Any = scipy.sparse
LinearOperator: Any = linalg.LinearOperator

to_the = partial(jnp.power, 2.0)

# A decay to a level, and the sum of its squares.

T, P, X = np.linspace(0.0, 1.0, 7), np.array([1.2, 0.7, 0.3]), np.linspace(-1.0, 1.3, 7)
Y = np.exp(-T)


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


def hessp(p: Any, v: Any, t: Any, y: Any) -> Any:
    return hessian(p, t, y) @ v


def hessp_of_two(p: Any, v: Any, t: Any, y: Any) -> Any:
    return hessian(p, t, y)[:, :-1] @ v[:-1]


def times(where: Any, factor: float) -> Callable[..., Any]:
    """The Jacobian with a part of it multiplied."""

    def wrong(*args: Any) -> Any:
        found = jacobian(*args)
        found[where] *= factor
        return found

    return wrong


# Broyden's tridiagonal function (Moré, Garbow and Hillstrom, 1981, problem 30).


def band(x: Any) -> Any:
    y = (3 - 2 * x) * x + 1
    y[1:] -= x[:-1]
    y[:-1] -= 2 * x[1:]
    return y


def bands(x: Any) -> Any:
    n = len(x)
    return sp.diags([-np.ones(n - 1), 3 - 4 * x, -2 * np.ones(n - 1)], [-1, 0, 1], format="csr")


def beside(x: Any) -> Any:
    return sp.diags([-np.ones(7), 3 - 4 * x[:-1], -2 * np.ones(5)], [0, 1, 2], format="csr")


FORMS: dict[str, Callable[[Any], Any]] = {
    "a csc array": lambda x: sp.csc_array(bands(x)),
    "a matrix": lambda x: bands(x).todense(),
    "a list": lambda x: bands(x).toarray().tolist(),
    "BCOO": lambda x: jsp.BCOO.fromdense(bands(x).toarray()),
    "COO of JAX": lambda x: jsp.COO.fromdense(bands(x).toarray()),
    "an operator": lambda x: LinearOperator((7, 7), lambda v: np.zeros(7) + bands(x) @ v),
}


def doubled_first(x: Any) -> Any:
    x[0] *= 2
    return x * x


PAIR, EYE = np.array([1.5, 2.0]), np.eye(6).reshape(2, 3, 2, 3)
#: Right Jacobians of other forms: of what, where, the answer.
RIGHT: dict[str, tuple[Any, Any, Any]] = {
    "a number": (np.sin, 0.4, np.cos),
    "an array by a number": (lambda x: np.sin(x * T), 0.4, lambda x: T * np.cos(x * T)),
    "a gradient": (lambda x: (x * x).sum(), X, lambda x: 2 * x),
    "one row": (lambda x: np.sum(x * x, keepdims=True), X, lambda x: 2 * x),
    "integers": (lambda x: np.round(x).astype(int), X + 0.1, lambda _: np.zeros((7, 7))),
    "no results": (lambda x: x[:0], X, lambda x: np.zeros((0, 7))),
    "a function that writes": (doubled_first, PAIR, lambda x: np.diag([8, 2] * x)),
    "lists": (lambda x: [x[0], x[0] * x[1]], [1.5, 2.0], lambda x: [[1, 0], [x[1], x[0]]]),
    "float32": (lambda x: x * x, X.astype(np.float32), lambda x: np.diag(2 * x)),
    "more axes": (lambda x: 2 * x, np.ones((2, 3)) / 3, lambda x: 2 * EYE),
    "arrays in a list": (lambda x: x[0] * x[1], [PAIR, T[1:3]], lambda x: [*map(np.diag, x[::-1])]),
}


ZERO = "integers", "no results"


@jax.custom_jvp
def sine(x: Any) -> Any:
    return jnp.sin(x)


sine.defjvp(lambda x, dx: (sine(*x), -jnp.cos(*x) * dx[0]))


# What is stopped is a constant of the second derivative as well.

stop = jax.lax.stop_gradient


def in_a_loop(x: Any) -> Any:
    return jax.lax.scan(lambda c, _: (x * x * stop(c), None), x, length=2)[0].sum()


@jax.jit
def in_a_branch(x: Any) -> Any:
    return jax.lax.cond(x[0] > 0, lambda x: jnp.sum(x**3 * stop(x)), jnp.sum, x)


def of_its_gradient(x: Any) -> Any:
    return jnp.sum(x * jax.grad(lambda y: jnp.sum(y**3 * stop(y)))(x) ** 2)


def straight_through(x: Any) -> Any:
    return jnp.sum((x + stop(jnp.round(x) - x)) ** 3)


#: Losses, and the diagonals of their Hessians.
STOPPED: dict[str, tuple[Any, Any]] = {
    "a factor": (lambda x: jnp.sum(x**2 * stop(x) ** 2), lambda x: 2 * x**2),
    "twice": (lambda x: jnp.sum(x**2 * stop(x * stop(jnp.sin(x)))), lambda x: 2 * x * np.sin(x)),
    "in a loop": (in_a_loop, lambda x: 2 * x**3),
    "in a branch": (in_a_branch, lambda x: 6 * x**2),
    "in a gradient": (of_its_gradient, lambda x: 180 * x**5),
    "straight through": (straight_through, lambda x: 6 * np.round(x)),
}


def stopped() -> list[Case]:
    found: list[Case] = []
    due: dict[str, Any] = {"verdict": "agree", "certified": True}
    for name, (loss, diagonal) in STOPPED.items():
        slope = lambda x, v, f=loss: jax.jvp(f, (x,), (v,))[1]  # noqa: E731
        right = lambda x, d=diagonal: np.diag(d(x))  # noqa: E731
        found += [
            *cases(f"stopped {name}", check_hessian, loss, PLACE, points=0)(
                Row("right", right, **due)
            ),
            *cases(f"stopped {name}, products", check_hvp, loss, PLACE, points=0)(
                Row("JAX's", jax.grad(slope), **due)
            ),
            *cases(f"stopped {name}, once", check_jacobian, jax.grad(loss), PLACE, points=0)(
                Row("right", right, **due)
            ),
        ]
    loss, _ = STOPPED["a factor"]
    return found + cases("a factor that is stopped", check_hessian, loss, PLACE, points=0)(
        Row("as if it were not", lambda x: np.diag(12 * x**2), verdict="disagree", blame="yours")
    )


def solved(x: Any) -> Any:
    """By `lu`, which is stopped."""
    return jnp.sum(jnp.linalg.solve(MATRIX + jnp.diag(x[:2]), jnp.sin(x[:2])) ** 2)


def solved_by_diagonal(x: Any) -> Any:
    """By factors that are not stopped."""
    return jax.lax.custom_linear_solve(
        lambda y: x * y, jnp.cos(x), lambda _, b: b / x, lambda _, b: b / x
    ).sum()


def of_cosines(x: Any, v: Any) -> Any:
    return v * ((2 / x**3 - 1 / x) * np.cos(x) + 2 / x**2 * np.sin(x))


def looped(x: Any) -> Any:
    """Until a count, which JAX does not differentiate backwards."""
    step = lambda s: (s[0] + 1, s[1] * jnp.sin(x))  # noqa: E731
    return jax.lax.while_loop(lambda s: s[0] < 3, step, (0, x))[1].sum()


def of_linear_call(x: Any) -> Any:
    """Which JAX does not differentiate along several directions at once."""
    weighed = linear_call(lambda w, y: w * y, lambda w, y: w * y, jnp.arange(3.0), x * x)
    return jnp.sum(weighed * x)


# What can only be called, and data that are sparse, are judged by differences.


def diagonal(x: Any) -> Any:
    return np.diag(2 * x)


def of_squares(x: Any, a: Any) -> Any:
    return np.sum((a @ x) ** 2)


def incomplete(x: Any) -> Any:
    return jax.scipy.special.gammainc(2.5, x * x + 1).sum()


SPARSE = sp.csr_array([[1.0, 2.0, 0.0], [0.0, 3.0, 4.0]])
MATRIX = np.array([[2.0, 0.3], [0.1, 3.0]])
PLACE, REFUSED = np.array([0.3, 0.7, 1.2]), {"verdict": "raised"}
WRONG, KINK = {"verdict": "disagree"}, np.array([1.5, 0.0])
DATA = P, T, Y


CASES = [
    *cases("a decay", check_jacobian, model, *DATA, points=1)(
        Row("data - model", times(..., -1), "yours has the wrong sign in every element"),
        Row("a column's factor", times(np.s_[:, 1], 2), "column 1 of jac is 2 times exact"),
        Row("a row's sign", times(np.s_[3], -1), "row 3 of jac has the wrong sign"),
        Row("a row is 0", times(2, 0), "row 2 of jac is 0"),
        Row("columns", lambda *a: jacobian(*a)[:, [1, 0, 2]], "columns 0 and 1 of jac are exch"),
        Row("arguments", lambda p, t, y: jacobian(p, y, t), "the arguments in the order y, t"),
        Row("one element", times((4, 1), 1.01), "jac[4, 1] alone is off, by 0.01 of itself"),
        Row("ragged", lambda *_: [[1.0], [2.0, 3.0]], "jac: got shape (2,)"),
        Row("None", lambda *_: None, "is its return statement missing?"),
    ),
    *cases("one column", check_jacobian, lambda x: x * jnp.arange(1.0, 4.0), X[:1], points=1)(
        Row("0", lambda x: np.zeros((3, 1)), "yours is 0 in every element"),
    ),
    *cases("a band", check_jacobian, band, X, points=1)(
        *[Row(f"as {form}", of) for form, of in FORMS.items()],
        *[
            Row(f"{form} off", lambda x, f=FORMS[form]: f(x * 1.01))
            for form in ("a list", "an operator")
        ],
        Row("transposed", lambda x: bands(x).T.toarray(), "yours is the transpose of exact"),
        Row("beside its place", beside, "the bands of jac stand 1 to the right"),
    ),
    *[
        case
        for name, (function, x, jac) in RIGHT.items()
        for case in cases(name, check_jacobian, function, x, points=2)(
            Row("zero" if name in ZERO else "right, as a Jacobian", jac)
        )
    ],
    *cases("a size at 0", check_jacobian, np.abs, KINK, points=0)(
        Row("0", diagonal, "a kink or jump, which a Jacobian has no", verdict="undecidable")
    ),
    *cases("a wrong rule in a Jacobian", check_jacobian, sine, X, points=0)(
        Row("right", lambda x: np.diag(np.cos(x)), blame="autodiff"),
        Row("the same mistake", lambda x: np.diag(-np.cos(x)), blame="both"),
    ),
    # Hessians and products.
    *cases("squares", check_hessian, squares, *DATA, points=1)(
        Row("right", hessian, "whose numbers are series again"),
        Row("its upper triangle", lambda *a: np.triu(hessian(*a)), "half of a symmetric matrix is"),
        Row("0.5 too little", lambda *a: hessian(*a) - 0.5 * np.eye(3), "of hess lacks 0.5"),
    ),
    *cases("Rosenbrock's Hessian", check_hessian, rosen, [0.3, 0.7], points=0)(
        Row("right of lists", rosen_hess, verdict="agree")
    ),
    *cases("an incomplete gamma", check_hessian, incomplete, PAIR - 1, points=0)(
        Row("right", jax.hessian(incomplete), "no rule for `igamma`, differentiated twice")
    ),
    *cases("a product with that of squares", check_hvp, squares, *DATA, points=1)(
        Row("right", hessp),
        Row("without v[2]", hessp_of_two, "yours takes v[2] for 0"),
        Row("at another point", lambda p, v, *a: hessp(p + 0.1, v, *a)),
    ),
    *cases("a product along a list", check_hvp, rosen, [0.3, 0.7], v=[1, 2], points=0)(
        Row("right of lists", rosen_hess_prod, verdict="agree")
    ),
    *stopped(),
    *cases("stopped factors of a solver", check_hessian, solved, PLACE, points=0)(
        Row("right", jax.hessian(solved), certified=True),
    ),
    *cases("factors of a solver", check_hvp, solved_by_diagonal, PLACE, points=0)(
        Row(
            "right",
            of_cosines,
            certified=True,
        ),
    ),
    *cases("a linear call", check_hvp, of_linear_call, PLACE, points=0)(
        Row("right", lambda x, v: 6 * np.arange(3) * x * v, certified=True),
        Row("half", lambda x, v: 3 * np.arange(3) * x * v, "every element is 1/2 of exact"),
    ),
    *cases("a linear call in a Hessian", check_hessian, of_linear_call, PLACE, points=0)(
        Row("right", lambda x: np.diag(6 * np.arange(3) * x), certified=True),
    ),
    *cases("a loop in JAX", check_hessian, looped, PLACE, points=0)(
        Row("right", jax.jacfwd(jax.jacfwd(looped)), certified=True),
    ),
    *cases("a partial of JAX's", check_jacobian, lambda x: to_the(x) * x, PLACE, points=1)(
        Row("right", lambda x: np.diag((1 + np.log(2) * x) * 2**x)),
        Row("its half more", lambda x: 1.5 * np.diag((1 + np.log(2) * x) * 2**x)),
    ),
    # What is judged by differences, or refused.
    *cases("called in float32", check_hessian, log_tail, W, ROWS, computed_in="float32")(
        Row("right", curvature_of_tail, "loss: ", "on power series", **REFUSED)
    ),
    *cases("sparse data of a product", check_jacobian, lambda x, a: a @ x, PLACE, SPARSE, points=1)(
        Row("right", lambda x, a: a, certified=False),
        Row("twice", lambda x, a: 2 * a, certified=False),
    ),
    *cases("sparse data of a gradient", check_gradient, of_squares, PLACE, SPARSE, points=1)(
        Row("right", lambda x, a: 2 * a.T @ (a @ x), certified=False),
        Row("twice", lambda x, a: 4 * a.T @ (a @ x), certified=False),
    ),
    *cases("no function", check_jacobian, 3, X)(
        Row("of a Jacobian", np.diag, "fun: got 3, expected a function", **REFUSED)
    ),
]
