"""What is printed as ± is true: no estimate is farther off, and none is called exact."""

import json
import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from flint import arb
from scipy import special
from scipy.integrate import solve_ivp
from scipy.linalg import expm_frechet

from handgrad import check_gradient, check_hessian, check_jacobian, compare_gradients
from handgrad.data.findings import Enclosure
from handgrad.oracle.enclosures import enclosure
from tests.corpus.rows.called import AT, beta
from tests.corpus.rows.called import of_beta as beta_gradient
from tests.corpus.rows.called import total as called
from tests.handgrad.only_called import OnlyCalled
from tests.tiers import one_of_each

PLACES = np.linspace(-2, 2, 12)
DATA = np.sin(PLACES)


def _kernel(p: Any) -> Any:
    apart = np.subtract.outer(PLACES, PLACES) ** 2
    return np.exp(2 * p[1] - apart / 2 * np.exp(-2 * p[0])), apart


@OnlyCalled
def gaussian_process(p: Any) -> float:
    """The negative log likelihood, by a length, a size and the noise, all as logarithms."""
    k, _ = _kernel(p)
    factor = scipy.linalg.cho_factor(k + np.exp(2 * p[2]) * np.eye(12), lower=True)
    solved = scipy.linalg.cho_solve(factor, DATA)
    return float(DATA @ solved / 2 + np.log(np.diag(factor[0])).sum())


def of_gaussian_process(p: Any) -> Any:
    k, apart = _kernel(p)
    inverse = np.linalg.inv(k + np.exp(2 * p[2]) * np.eye(12))
    solved = inverse @ DATA
    by = (k * apart * np.exp(-2 * p[0]), 2 * k, 2 * np.exp(2 * p[2]) * np.eye(12))
    return np.array([np.sum((inverse - np.outer(solved, solved)) * each) / 2 for each in by])


def decay(rtol: float) -> Callable[[Any], float]:
    """e^-ab, by a solver."""

    def loss(p: Any) -> float:
        found = solve_ivp(lambda _, y: -p[0] * y, (0, p[1]), [1.0], rtol=rtol, atol=rtol)
        return float(found.y[0, -1])

    return loss


def bisected(p: Any) -> float:
    """Linear in p[1], so that differences show no error at all."""
    low, high = 0.0, 10.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (low, middle) if middle * middle > float(p[0]) else (middle, high)
    return low * p[1]


def of_bisected(p: Any) -> Any:
    return np.array([p[1] / 2 / np.sqrt(p[0]), np.sqrt(p[0])])


def of_decay(p: Any) -> Any:
    return -p[::-1] * np.exp(-p[0] * p[1])


#: The loss, its gradient, and where.
BLACK_BOXES: dict[str, tuple[Any, Any, Any]] = {
    "special functions": (beta, beta_gradient, AT),
    "a Gaussian process": (gaussian_process, of_gaussian_process, np.array([0.2, -0.1, -2.0])),
    "one with little noise": (gaussian_process, of_gaussian_process, np.array([0.9, 0.4, -5.0])),
    "a bisection": (bisected, of_bisected, np.array([3.0, 0.7])),
    **{
        f"a solver at {rtol:g}": (decay(rtol), of_decay, np.array([1.3, 0.8]))
        for rtol in (1e-3, 1e-5, 1e-8, 1e-11)
    },
    "a callback": (called, lambda x: np.sin(2 * x), AT),
}

#: By an estimate it is 1.732 ± 1.8e-06
ESTIMATE = re.compile(r"by an estimate it is (\S+) ± (\S+?)[;,]")


@pytest.mark.parametrize("name", one_of_each(BLACK_BOXES, ["special functions", "a bisection"]))
def test_an_estimate_is_within_its_bar_wherever_it_is_printed(name: str) -> None:
    loss, gradient, at = BLACK_BOXES[name]
    report = check_gradient(lambda x: -gradient(x), loss, at, points=0)
    assert (report.verdict, report.certified) == ("disagree", False)
    (leaf,) = report.leaves
    right = float(gradient(at)[leaf.index])
    said = ESTIMATE.search(report.headline)
    assert said is not None
    for value, bar in ((float(leaf.exact), leaf.exact.radius), map(float, said.groups())):
        assert abs(value - right) <= bar <= 0.5 * abs(right)
    found = json.loads(json.dumps(report.to_dict()))["leaves"][0]["exact"]
    assert (found["radius"], found["certified"]) == (leaf.exact.radius, False)
    text = str(report)
    for shown in (text, report._repr_html_()):
        assert "estimate" in shown
        assert not re.search(r"\bexact", shown)
    assert f"{leaf.exact.within.strip()}, not certified" in text


def test_no_version_of_a_black_box_is_beside_an_exact_one() -> None:
    compared = compare_gradients({"a": beta_gradient, "b": lambda x: -beta_gradient(x)}, beta, AT)
    assert "estimate" in str(compared)
    assert " exact" not in str(compared)


def test_matrices_by_differences() -> None:
    @OnlyCalled
    def fun(x: Any) -> Any:
        return np.array([float(special.gammaln(v)) for v in x])

    at = np.array([1.3, 2.2])
    for check, f, right in (
        (check_jacobian, fun, np.diag(special.digamma(at))),
        (
            check_hessian,
            OnlyCalled(lambda x: float(fun(x).sum())),
            np.diag(special.polygamma(1, at)),
        ),
    ):
        report = check(lambda _, right=right: -right, f, at, points=0)
        assert (report.verdict, report.certified) == ("disagree", False)
        found = report.leaves[0].exact
        assert abs(float(found) - right[report.leaves[0].index]) <= found.radius


def test_the_digits_of_an_estimate_end_with_the_first_that_is_not_known() -> None:
    found = enclosure(arb(-2.7469728281234567, 4.8e-11), 53, certified=False)
    assert found.midpoint == "-2.74697282812"
    assert 4.8e-11 < found.radius < 5.4e-11
    assert str(found) == "-2.74697282812 ± 5.2e-11 (not certified)"
    assert enclosure(arb(44.3, 16.0), 53, certified=False).midpoint == "44"
    assert Enclosure("2", 1.401e-7, certified=False).within == " ± 1.5e-07"


C = np.array([[0.3, -1.2, 0.7], [0.9, 0.4, -0.5], [-0.8, 0.6, 1.1]])


@pytest.mark.slow
def test_what_unknown_code_may_lose_is_no_evidence_of_a_mistake() -> None:
    """SciPy's `expm` runs in floats alone, and loses more than conditioning explains."""

    def loss(a: Any) -> Any:
        return jnp.sum(C * jax.scipy.linalg.expm(a))

    def gradient(a: Any, factor: float = 1.0) -> Any:
        return factor * np.asarray(expm_frechet(a.T, C, compute_expm=False))

    report = check_gradient(lambda a: gradient(a, 1 + 1e-11), loss, 2 * C, points=0)
    assert report.verdict == "undecidable", str(report)
    assert "which of the two cannot be told, since it cannot be rerun" in report.headline
    for factor in (1 + 1e-8, -1.0, 2.0):
        wrong = check_gradient(lambda a, f=factor: gradient(a, f), loss, 2 * C, points=0)
        assert wrong.verdict == "disagree"

    def by_lines(a: Any) -> Any:
        return 2 * a * (1 + 1e-12)

    # Lines that can be rerun show a mistake of any size.
    assert check_gradient(by_lines, lambda a: jnp.sum(a**2), C, points=0).verdict == "disagree"
