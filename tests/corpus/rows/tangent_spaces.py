"""What counts of a derivative in a domain, points that leave one, and what is no domain."""

from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np

from handgrad import (
    check_gradient,
    check_hessian,
    check_hvp,
    check_jacobian,
    check_scipy,
    check_steps,
)
from tests.corpus.case import RAISED, Case, Row, cases
from tests.corpus.rows.domains import SHARES, SPREAD
from tests.corpus.rows.matrix_domains import (
    COV,
    FACTOR,
    by_symmetric,
    lower_half,
    twice_off_diagonal,
)

UNIT, ERROR = np.array([0.48, -0.6, 0.64]), np.array([0.7, -1.1, 0.4])
S = np.diag([1.0, 2.0, 3.0]) + 0.3
Q = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0]
SOME = np.array([True, False, True])
TWICE = np.where(np.eye(3), 1.0, 2.0)
BAND, WEIGHTS = np.tri(3, dtype=bool), np.random.default_rng(0).standard_normal((3, 3))
INF = np.inf


# Gradients: what is normal to the domain may be anything, but the same in each call.


def log_det(a: Any) -> Any:
    return jnp.linalg.slogdet(a)[1]


def inverse(a: Any) -> Any:
    return np.linalg.inv(a)


def noisy(a: Any) -> Any:
    noise = np.random.standard_normal(a.shape)
    return inverse(a) + noise - noise.T


def rigid(a: Any) -> float:
    """Which says nothing where one element moves."""
    return float("nan") if a[0, 1] != COV[0, 1] else float(np.sum(np.float64(str(a.sum())) ** 3))


def of_rigid(a: Any, mixed: float = 1.0) -> Any:
    factors = np.ones((3, 3))
    factors[[0, 1], [1, 0]] = mixed
    return 3 * a.sum() ** 2 * factors


def off_the_band(a: Any) -> Any:
    return jnp.sum(jnp.where(BAND, a * a * WEIGHTS, 0))


def entropy_by_numbers(p: Any) -> Any:
    return sum(-x * np.log(x) if x > 0 else 0.0 for x in p)


def of_complex(p: Any) -> Any:
    return jnp.sum(jnp.abs(jax.lax.complex(p, p * p)))


def for_complex(p: Any) -> Any:
    return np.sqrt(1 + p * p) + p * p / np.sqrt(1 + p * p)


def explained(q: Any) -> Any:
    return jnp.sum(jnp.arange(4.0) * jnp.diag(q.T @ jnp.diag(jnp.arange(1.0, 5.0) ** 2) @ q))


def by_axes(q: Any) -> Any:
    return 2 * np.diag(np.arange(1.0, 5.0) ** 2) @ q * np.arange(4.0)


def riemannian(q: Any, factor: float = 1.0) -> Any:
    g = by_axes(q)
    return factor * (g - q @ (q.T @ g + g.T @ q) / 2)


# A normal part that is larger than the rest by a factor k takes digits, and no more.


def mostly_normal(x: Any, a: Any, k: Any) -> Any:
    return k / 2 * (x * x).sum() + (a * x).sum()


def of_normal(x: Any, a: Any, k: Any) -> Any:
    return np.asarray(k * x + a, x.dtype)


def one_twice(x: Any, a: Any, k: Any) -> Any:
    return of_normal(x, a + a * (a == a.max()), k)


def large(domain: str, x: Any, k: float, dtype: Any) -> Iterable[Case]:
    x, a = x.astype(dtype), np.random.default_rng(0).standard_normal(x.shape).astype(dtype)
    name, at = f"{domain}, {k:g} times as much", (x, a, np.asarray(k, dtype)[()])
    return cases(name, check_gradient, mostly_normal, *at, points=0, domain=domain)(
        Row("right", of_normal, verdict="agree"), Row("an element twice", one_twice)
    )


# Jacobians, Hessians and products.


def moments(a: Any) -> Any:
    return jnp.stack([log_det(a), jnp.trace(a @ a @ a)])


def of_moments(a: Any) -> Any:
    return np.stack([np.linalg.inv(a), 3 * a @ a])


def product(low: Any) -> Any:
    return low @ low.T


def of_gram(low: Any) -> Any:
    one = np.eye(len(low))
    return np.einsum("ik,jl->ijkl", one, low) + np.einsum("jk,il->ijkl", one, low)


def log_ratio(p: Any) -> Any:
    """The inverse of the softmax: logits whose mean is 0."""
    return np.log(p) - np.mean(np.log(p))


def of_log_ratio(p: Any) -> Any:
    return (np.eye(3) - 1 / 3) / p + np.array([[1.0], [2.0], [3.0]])


def by_leaves(t: Any) -> Any:
    return jnp.log(t["p"]) + t["s"]


def direction(x: Any) -> Any:
    return x / np.sqrt(x @ x)


def cubes(x: Any) -> Any:
    return (x**3).sum()


def with_e(x: Any, factor: float = 6) -> Any:
    return np.diag([6 * x[0], np.e, factor * x[2]])


def by_what_varies(x: Any, v: Any) -> Any:
    return S @ v * (np.nan if v[1] else 1)


def squares(a: Any) -> Any:
    return (a * a).sum()


def of_squares(a: Any) -> Any:
    return 2 * np.eye(a.size).reshape(a.shape * 2)


def negative_log(x: Any) -> Any:
    return -np.log(x).sum()


BY_SCIPY = {
    "jac": lambda x: -1 / x,
    "hess": lambda x: np.diag(1 / x**2),
    "hessp": lambda x, v: v / x**2,
}


# Points that leave a domain, some of which are right.


def left(said: str, before: Any, wrong: Any, right: Any = (), shown: str = "") -> Iterable[Case]:
    good = [np.array(at) for at in (before, *right)]
    points = [(np.array(at),) for at in (*right, *wrong)]

    def answer(p: Any) -> Any:
        return (2 if any(np.array_equal(p, at) for at in good) else 3) * p

    never = () if said else ("no longer", "changes its sign")
    inside = f"{len(good)} points" if right else "the given point"
    says = (said, f"right at {inside}, wrong only where", shown) if said else ()
    name = f"where {said or 'nothing'} of {len(points)}, from {np.array(before).tolist()}"
    made = cases(name, check_gradient, squares, good[0], points=points)
    return made(Row("wrong there", answer, *says, never=never))


def no_domain(domain: Any, says: str, at: Any = SHARES) -> Iterable[Case]:
    name = f"no domain: {says}"
    made = cases(name, check_gradient, squares, at, points=0, domain=domain)
    return made(Row("refused", lambda a: 2 * a, says, verdict=RAISED))


def lengths(p: Any) -> Any:
    return jnp.sum(jnp.abs(p["r"])) + jnp.sum(p["w"] ** 2)


def of_lengths(p: Any) -> Any:
    return {"r": np.ones_like(p["r"]), "w": 2 * p["w"]}


def wrong_inside(p: Any) -> Any:
    return {"r": np.where(p["r"] > 0.5, 1.01, 1.0), "w": 2 * p["w"]}


M = np.array([[2.0, 0.5], [0.5, 1.0]])
LEAVES = {"p": SHARES, "s": np.float64(2.0)}
STEPS = [("log det", lambda a: (log_det(a), a), lambda d, a: d * inverse(a))]
#: Of the second, only the lower half of a symmetric matrix is read.
HALF = [
    ("double", lambda a: (2 * a, None), lambda d, _: 2 * d),
    ("cubic", lambda a: (lower_half(a, SPREAD), a), lambda d, a: d * by_symmetric(a, SPREAD)),
]
LENGTHS = {"r": np.array([0.3, 1.5, 0.7]), "w": np.array([0.5, -1.0])}
IN: dict[str, Any] = {"verdict": "agree"}


CASES = [
    *cases("a determinant", check_gradient, log_det, COV, domain="symmetric", points=1)(
        Row("right, in one triangle", lambda a: np.tril(inverse(a) * TWICE), "tangent space"),
        Row("a triangle of the symmetric one", lambda a: np.tril(inverse(a))),
        Row("a normal part that is drawn", noisy, kinds=("not-repeatable",), verdict="disagree"),
    ),
    *cases("a rigid element", check_gradient, rigid, COV, domain="symmetric", points=0)(
        Row("right", of_rigid, "the 7 of 9 elements that were judged", verdict="agree"),
        Row("twice it", lambda a: of_rigid(a, mixed=2.0), "the 7 of 9 elements", verdict="agree"),
        Row("twice the others", lambda a: 2 * of_rigid(a, mixed=0.5), "7 of 9", verdict="disagree"),
    ),
    *cases("a mask", check_gradient, off_the_band, COV, domain="symmetric", points=1)(
        Row("it is left out", lambda a: 2 * a * WEIGHTS, kinds=("mask",)),
    ),
    *cases("by program", check_gradient, log_det, COV, domain="symmetric", referee="program")(
        Row("right", inverse, "random directions"),
        Row("a slip", lambda a: (1 + 1e-9) * inverse(a), verdict="disagree"),
    ),
    *cases("one triangle is read", check_gradient, lower_half, COV, SPREAD, points=0)(
        Row("each pair once", twice_off_diagonal, "counts as one parameter"),
        Row("a slip", lambda a, b: 1.00001 * by_symmetric(a, b), never=("right for",)),
    ),
    *cases("a direction", check_gradient, lambda m: (ERROR * m).sum(), UNIT, points=0)(
        Row("right on the sphere", lambda m: ERROR - m * (m @ ERROR), "domain='unit sphere'"),
        Row("the rest", lambda m: m * (m @ ERROR), never=("domain=",)),
    ),
    *cases("axes", check_gradient, explained, Q, points=0)(
        Row("right for rotations", riemannian, "right for orthogonal q: domain='orthogonal'"),
    ),
    *cases("axes", check_gradient, explained, Q, points=1, domain="orthogonal")(
        Row("half of its tangent", lambda q: riemannian(q, 0.5), kinds=("factor",)),
        Row("its sign", lambda q: riemannian(q, -1), kinds=("sign",)),
    ),
    *cases("entropy, by numbers", check_gradient, entropy_by_numbers, SHARES, domain="simplex")(
        Row("right, and 5 more", lambda p: 4 - np.log(p)),
        Row("a hundredth more", lambda p: 5 - 1.01 * np.log(p)),
    ),
    *cases("of complex", check_gradient, of_complex, SHARES, domain="simplex", points=1)(
        Row("right, and 5 more", lambda p: for_complex(p) + 5),
        Row("a hundredth more", lambda p: 1.01 * for_complex(p) + 5),
    ),
    *cases("one number", check_gradient, squares, np.array(0.3), domain=np.array(True))(
        Row("right", lambda w: 2 * w),
    ),
    *large("unit sphere", np.eye(3)[1], 2.0**36, "float64"),
    *large("unit sphere", np.eye(3)[1], 8.0, ml_dtypes.bfloat16),
    *large("orthogonal", np.eye(3)[[1, 0, 2]], 2.0**37, "float64"),
    *large("orthogonal", np.eye(3)[[1, 0, 2]], 2.0**10, "float32"),
    *cases("moments", check_jacobian, moments, COV, domain="positive definite", points=1)(
        Row("right, in one triangle", lambda a: np.tril(of_moments(a) * TWICE), **IN),
        Row("a triangle alone", lambda a: np.tril(of_moments(a))),
    ),
    *cases("a product", check_jacobian, product, FACTOR, domain="lower triangular", points=1)(
        Row("right, one half filled", lambda low: of_gram(low) * np.tri(3), **IN),
        Row("one factor's", lambda low: np.einsum("ik,jl->ijkl", np.eye(3), low)),
    ),
    *cases("a product", check_jacobian, product, FACTOR, points=0)(
        Row("right for factors", lambda low: of_gram(low) * np.tri(3), "domain='lower triang"),
    ),
    *cases("logits", check_jacobian, log_ratio, SHARES, domain="simplex", points=1)(
        Row("right, and a constant for each", of_log_ratio, **IN),
        Row("without the mean", lambda p: np.diag(1 / p)),
    ),
    *cases("logits anywhere", check_jacobian, log_ratio, SHARES, points=0)(
        Row("right on the simplex", of_log_ratio, "right for p on the simplex: domain='simplex'"),
        Row("without the mean", lambda p: np.diag(1 / p), never=("right for",)),
    ),
    *cases("a unit vector", check_jacobian, direction, UNIT, domain="unit sphere", points=1)(
        Row("right", lambda x: np.eye(3), **IN),
        Row("a diagonal", lambda x: np.eye(3) - np.diag(x * x)),
    ),
    *cases("leaves", check_jacobian, by_leaves, LEAVES, domain={"p": "simplex", "s": None})(
        Row("right", lambda t: {"p": np.diag(1 / t["p"]) + 5, "s": np.ones(3)}, **IN),
        Row("a third", lambda t: {"p": np.diag(1 / t["p"]) + 5, "s": np.ones(3) / 3}),
    ),
    *cases("leaves anywhere", check_jacobian, by_leaves, LEAVES, points=0)(
        Row(
            "a third by one, and right on the simplex by the other",
            lambda t: {"p": np.diag(1 / t["p"]) + 5, "s": np.ones(3) / 3},
            "right for t['p'] on the simplex: domain='simplex'",
        ),
    ),
    *cases("a Hessian of some", check_hessian, cubes, SHARES, domain=SOME, points=1)(
        Row("right", with_e, **IN),
        Row("half of one", lambda x: with_e(x, 3)),
    ),
    *cases("a product, by some", check_hvp, cubes, SHARES, domain=SOME, points=1)(
        Row("right", lambda x, v: 6 * x * v + np.array([0, np.e, 0]), **IN),
        Row("half", lambda x, v: 3 * x * v),
    ),
    *cases("a product, by some", check_hvp, lambda x: x @ S @ x / 2, UNIT, domain=SOME, points=2)(
        Row("right by what varies", by_what_varies, **IN),
    ),
    *cases("a Hessian", check_hessian, squares, np.eye(2))(
        Row(
            "where it is symmetric", lambda a: of_squares(a) * (a == a.T).all(), never=("domain=",)
        ),
    ),
    *cases("a Hessian", check_hessian, squares, np.eye(2), domain="lower triangular")(
        Row("no domain", of_squares, "domain: got lower triangular for a Hes", verdict=RAISED),
    ),
    *cases("steps", check_steps, None, COV, domain={"log": "symmetric"})(
        Row("no domain", STEPS, "domain: got the name 'log', expected one of", verdict=RAISED),
    ),
    *cases("steps", check_steps, None, COV, domain={"cubic": "symmetric"}, points=1)(
        Row("right in the domain of the second", HALF, verdict="agree"),
    ),
    *cases("steps", check_steps, None, COV, domain={"double": "symmetric"}, points=1)(
        Row("wrong in the domain of the first", HALF, verdict="disagree"),
    ),
    *cases("a product", check_hvp, cubes, SHARES, domain="simplex")(
        Row("no domain", lambda x, v: v, "domain: got simplex for a Hessian", verdict=RAISED),
    ),
    *cases("a call", check_scipy, negative_log, SHARES, domain="positive", points=3)(
        Row("right, of positive numbers", BY_SCIPY),
    ),
    *cases("a call", check_scipy, negative_log, SHARES, domain=("interval", 1, 2))(
        Row("outside", BY_SCIPY, "x[0]: got 0.5, expected a number from 1 to 2", verdict=RAISED),
    ),
    # A point that has left.
    *cases("lengths", check_gradient, lengths, LENGTHS, points=4)(
        Row(
            "right for positive ones",
            of_lengths,
            "disagree at point 4, where p['r'] is no longer positive: p['r']: ",
            "right at 4 points, wrong only where p['r'] is no longer positive: ",
            "say domain='positive' for p['r']",
            verdict="disagree",
        ),
        Row("a hundredth more of some", wrong_inside, never=("no longer",)),
    ),
    *left("a is no longer positive", [0.5, 2.0], [[0.5, -2.0]]),
    *left("a is no longer 0 or more", [0.0, 2.0], [[-0.5, 2.0]]),
    *left("a is no longer negative", [-1.0, -2.0], [[-1.0, 0.0]]),
    *left("a is no longer in [0, 1]", [0.2, 0.9], [[0.2, 1.1]]),
    *left("a no longer sums to 1", [0.5, 0.5 + 2**-51], [[0.5, 0.7]]),
    *left("", [0.5, 0.5 + 2**-50], [[0.5, 0.7]]),
    *left("a is no longer symmetric", M, [M + np.eye(2)[[1, 1]]]),
    *left("a[1] changes its sign", [2.0, -3.0, 1.0], [[2.0, 3.0, 1.0]]),
    *left("", [2.0, -3.0, 1.0], [[2.5, -2.0, 4.0]]),
    *left("", [0.0, 0.0], [[-0.5, 2.0]]),
    # A right point has left as well, or some wrong one has not.
    *left("", [2.0, -3.0, 1.0], [[2.0, 2.5, 1.0]], [[2.0, 3.0, 1.0]]),
    *left("a[1] is no longer positive", [0.0, 1.0], [[-2.6, -1.0], [0.5, -2.0]], [[-1.0, 1.5]]),
    *left("", [0.0, 1.0], [[-2.6, 1.0], [0.5, -2.0]], [[-1.0, 1.5]]),
    *left("", [0.0, 1.0], [[-2.6, -1.0], [0.5, -2.0]], [[-1.0, 1.5], [0.5, -3.0]]),
    *left("a is no longer positive", [0.5, 2.0], [[-1.0, -2.0], [1.0, -3.0]], shown="a[1] is -2"),
    *left("a is no longer 0 or more", [0.0, 1.0], [[-2.6, -1.0]], [[0.1, 2.0]]),
    # What is no domain, and what is outside.
    *no_domain("simplx", "domain: got 'simplx', expected 'positive', 'simplex'"),
    *no_domain(("interval", 1, 0), "domain: got ('interval', 1, 0), expected"),
    *no_domain(("interval", [0, [1]], 5), "two numbers or arrays as the parameter"),
    *no_domain({"x": "simplex"}, "domain: got {'x': 'simplex'}, expected a name for all"),
    *no_domain(~SOME & False, "nothing would be judged"),
    *no_domain("positive", "a[0, 1]: got -0.5, expected a number above 0", M - 1),
    *no_domain(("interval", 0, 1), "a[0, 0]: got 2.0, expected a number from 0 to 1", M),
    *no_domain(("interval", [0, 0], 3), "expected an array of shape (2,)", M),
    *no_domain("simplex", "got 2.0 in a row of sum 2.5", M),
    *no_domain("unit sphere", "got 2.0 in a row of length 2.06155281281", M),
    *no_domain("symmetric", "a[0, 1]: got 0.5, and 1.5 across the diagonal", M + np.tri(2)),
    *no_domain("positive definite", "got an eigenvalue of -2.20711", -M),
    *no_domain("lower triangular", "a[0, 1]: got 0.5, expected 0 above the diagonal", M),
    *no_domain(SOME, "got shape (2, 2), expected an array of shape (3,), as the mask has", M),
]
