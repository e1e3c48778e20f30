"""`domain=` of Jacobians, Hessians and products: what counts of them lies in the tangent space."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse

from handgrad import check_hessian, check_hvp, check_jacobian, check_scipy
from tests.tiers import one_of_each

#: What type checkers guess of it from its code is too narrow.
sp: Any = scipy.sparse

RNG = np.random.default_rng(0)
ROOT = RNG.standard_normal((2, 2))
SPD = ROOT @ ROOT.T + np.eye(2)
SPD = (SPD + SPD.T) / 2
FACTOR = np.linalg.cholesky(SPD)
P = np.array([0.2, 0.5, 0.3])
U = np.array([0.48, -0.6, 0.64])
S = np.diag([1.0, 2.0, 3.0]) + 0.3
TWICE = np.where(np.eye(2), 1.0, 2.0)


def log_det(a: Any) -> Any:
    return jnp.linalg.slogdet(a)[1]


def moments(a: Any) -> Any:
    return jnp.stack([log_det(a), jnp.trace(a @ a @ a)])


def of_moments(a: Any) -> Any:
    return np.stack([np.linalg.inv(a), 3 * a @ a])


def of_squares(low: Any) -> Any:
    return 2 * np.eye(low.size).reshape(low.shape * 2)


def gram(low: Any) -> Any:
    return low @ low.T


def of_gram(low: Any) -> Any:
    one = np.eye(len(low))
    return np.einsum("ik,jl->ijkl", one, low) + np.einsum("jk,il->ijkl", one, low)


def log_ratio(p: Any) -> Any:
    """The inverse of the softmax: logits whose mean is 0."""
    return np.log(p) - np.mean(np.log(p))


def of_log_ratio(p: Any) -> Any:
    return (np.eye(len(p)) - 1 / len(p)) / p


def entropy(p: Any) -> Any:
    return -np.sum(p * np.log(p))


def of_entropy(p: Any) -> Any:
    return np.diag(-1 / p)


def logit(x: Any) -> Any:
    return np.log(x / (1 - x))


def of_logit(x: Any) -> Any:
    return np.diag(1 / (x * (1 - x)))


def direction(x: Any) -> Any:
    return x / np.sqrt(x @ x)


def quadratic(x: Any) -> Any:
    return 0.5 * x @ S @ x


class Right(NamedTuple):
    """A derivative that is right in a domain, and one that is not."""

    check: Callable[..., Any]
    right: Callable[..., Any]
    wrong: Callable[..., Any]
    function: Callable[..., Any]
    x: Any
    domain: Any


RIGHT: dict[str, Right] = {
    "a Jacobian on symmetric matrices": Right(
        check_jacobian,
        lambda a: np.tril(of_moments(a) * TWICE),  # its symmetric part is the right one
        lambda a: np.tril(of_moments(a)),
        moments,
        SPD,
        "positive definite",
    ),
    "a Cholesky factor, one half filled": Right(
        check_jacobian,
        lambda low: of_gram(low) * np.tri(2),
        lambda low: np.einsum("ik,jl->ijkl", np.eye(2), low),
        gram,
        FACTOR,
        "lower triangular",
    ),
    "the inverse of the softmax": Right(
        check_jacobian,
        lambda p: of_log_ratio(p) + np.array([[1.0], [2.0], [3.0]]),
        lambda p: np.diag(1 / p),
        log_ratio,
        P,
        "simplex",
    ),
    "a link on an interval": Right(
        check_jacobian, of_logit, lambda x: np.diag(1 / x), logit, P, ("interval", 0, 1)
    ),
    "log on positive numbers": Right(
        check_jacobian,
        lambda x: sp.diags([1 / x], [0]),
        lambda x: np.diag(x),
        jnp.log,
        P,
        "positive",
    ),
    "a direction on the sphere": Right(
        check_jacobian,
        lambda x: np.eye(3),
        lambda x: np.eye(3) - np.diag(x * x),
        direction,
        U,
        "unit sphere",
    ),
    "some elements": Right(
        check_hessian,
        lambda x: np.diag([6 * x[0], np.e, 6 * x[2]]),
        lambda x: np.diag([6 * x[0], np.e, 3 * x[2]]),
        lambda x: (x**3).sum(),
        P,
        np.array([True, False, True]),
    ),
    "a product by some elements": Right(
        check_hvp,
        lambda x, v: 6 * x * v + np.array([0, np.e, 0]),
        lambda x, v: 3 * x * v,
        lambda x: (x**3).sum(),
        P,
        np.array([True, False, True]),
    ),
    "the Hessian by a triangle": Right(
        check_hessian,
        lambda low: of_squares(low) + np.triu(np.ones((2, 2)), 1),
        lambda low: 3 * of_squares(low),
        lambda low: (low**2).sum() + low[0, 1] ** 3,
        FACTOR,
        "lower triangular",
    ),
    "one array of several": Right(
        check_jacobian,
        lambda t: {"p": np.diag(1 / t["p"]) + 5, "s": np.ones(3)},
        lambda t: {"p": np.diag(1 / t["p"]) + 5, "s": np.ones(3) / 3},
        lambda t: jnp.log(t["p"]) + t["s"],
        {"p": P, "s": np.float64(2.0)},
        {"p": "simplex", "s": None},
    ),
}
QUICK = ["a direction on the sphere", "some elements"]


@pytest.mark.parametrize("name", one_of_each(list(RIGHT), QUICK))
def test_right_and_wrong(name: str) -> None:
    case = RIGHT[name]
    judged = [
        case.check(f, case.function, case.x, domain=case.domain, points=1)
        for f in (case.right, case.wrong)
    ]
    assert [report.verdict for report in judged] == ["agree", "disagree"]
    # Points that leave the domain would be left out, or wrong.
    assert [report.dropped for report in judged] == [0, 0]


#: Right ones as in the table, without their domain, and what the report says.
TOLD = {
    "a Cholesky factor, one half filled": "right for lower triangular low: domain='lower",
    "the inverse of the softmax": "right for p on the simplex: domain='simplex'",
    "a direction on the sphere": "right for x on the unit sphere: domain='unit sphere'",
}


@pytest.mark.parametrize("name", one_of_each(list(TOLD), ["the inverse of the softmax"]))
def test_a_report_says_in_which_domain_it_would_be_right(name: str) -> None:
    case = RIGHT[name]
    report = case.check(case.right, case.function, case.x, points=0)
    assert report.verdict == "disagree"
    assert TOLD[name] in report.headline
    wrong = case.check(case.wrong, case.function, case.x, points=0)
    assert "right for" not in wrong.headline


@pytest.mark.slow
def test_pairs_that_count_once_are_told() -> None:
    """As by the elements of one triangle, which are the parameters then."""

    def jac(a: Any) -> Any:
        return of_moments(a) * TWICE

    for domain in (None, "symmetric"):
        report = check_jacobian(jac, moments, SPD, points=0, domain=domain)
        assert report.verdict == "disagree"
        assert "if each pair of off-diagonal elements counts as one parameter" in report.headline


REFUSED = {
    "simplex": lambda domain: check_hvp(lambda p, v: -v / p, entropy, P, domain=domain),
    "unit sphere": lambda domain: check_scipy(quadratic, U, hess=lambda _: S, domain=domain),
    **dict.fromkeys(
        ("symmetric", "positive definite", "orthogonal"),
        lambda domain: check_hessian(of_squares, lambda a: (a * a).sum(), np.eye(2), domain=domain),
    ),
}


@pytest.mark.parametrize("domain", REFUSED)
def test_no_hessian_where_elements_mix(domain: str) -> None:
    with pytest.raises(ValueError, match=rf"^domain: got {domain} for a Hessian, expected pos"):
        REFUSED[domain](domain)


def test_none_is_advised_for_a_hessian() -> None:
    def hess(a: Any) -> Any:
        return -np.einsum("ik,jl->ijkl", np.linalg.inv(a), np.linalg.inv(a))

    report = check_hessian(hess, log_det, SPD, points=0)
    assert report.verdict == "disagree"
    assert "domain=" not in str(report)
    off = check_hessian(lambda a: np.eye(4) * (a == a.T).all(), lambda a: (a * a).sum() / 2, SPD)
    assert "wrong only where a is no longer symmetric" in off.warnings[0]
    assert "domain=" not in off.warnings[0]


def test_a_product_gets_what_may_vary_at_every_point() -> None:
    seen: list[float] = []

    def hessp(_: Any, v: Any) -> Any:
        seen.append(float(np.abs(v[1])))
        return S @ v

    listed = [(np.array([0.6, 0.0, 0.8]), np.array([1.0, 2.0, 3.0]))]
    for points in (2, listed):
        v = np.array([3.0, 1.0, 2.0])
        free = np.array([True, False, True])
        assert check_hvp(hessp, quadratic, U, v=v, points=points, domain=free).verdict == "agree"
    assert max(seen) == 0


@pytest.mark.slow
def test_a_call_of_scipy_in_a_domain() -> None:
    report = check_scipy(
        lambda x: -np.log(x).sum(),
        P,
        jac=lambda x: -1 / x,
        hess=lambda x: np.diag(1 / x**2),
        hessp=lambda x, v: v / x**2,
        domain="positive",
        points=3,
    )
    assert report.verdict == "agree"
    assert [report[name].dropped for name in ("jac", "hess", "hessp")] == [0, 0, 0]
    with pytest.raises(ValueError, match=r"^x\[0\]: got 0\.2, expected a number from 1 to 2"):
        check_scipy(quadratic, P, hessp=lambda x, v: S @ v, domain=("interval", 1, 2))
