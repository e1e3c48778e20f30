"""Functions of `scipy.special` that JAX has as fits, whose slopes are other than theirs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from handgrad import check_gradient
from tests.tiers import one_of_each


def of_betaln(p: np.ndarray) -> np.ndarray:
    return special.digamma(p) - special.digamma(p.sum())


#: The loss, its gradient, and where.
EXACT: dict[str, tuple[Callable[..., Any], Callable[..., Any], list[float]]] = {
    "betaln": (lambda p: special.betaln(p[0], p[1]), of_betaln, [10.0, 20.0]),
    "beta": (
        lambda p: special.beta(p[0], p[1]),
        lambda p: of_betaln(p) * special.beta(p[0], p[1]),
        [9.0, 3.0],
    ),
    "ndtri": (
        lambda p: special.ndtri(p).sum(),
        lambda p: 1 / stats.norm.pdf(special.ndtri(p)),
        [0.01, 0.3, 0.9],
    ),
}


@pytest.mark.parametrize("name", one_of_each(EXACT, ["betaln", "ndtri"]))
def test_what_jax_fits_is_certified_by_the_function_itself(name: str) -> None:
    loss, gradient, at = EXACT[name]
    right = check_gradient(gradient, loss, np.array(at), points=0)
    assert right.verdict == "agree"
    assert right.certified
    wrong = check_gradient(lambda p: gradient(p) * (1 + 1e-12), loss, np.array(at), points=0)
    assert wrong.verdict == "disagree"


def test_what_jax_has_as_a_series_alone_is_not_certified() -> None:
    """That of `hyp2f1` ends where its value, but not its slope, has all digits."""

    def loss(x: np.ndarray) -> float:
        return special.hyp2f1(1.5, 0.5, 2.5, x).sum()

    report = check_gradient(
        lambda x: 0.3 * special.hyp2f1(2.5, 1.5, 3.5, x), loss, np.array([0.1, 0.3, 0.7]), points=0
    )
    assert (report.verdict, report.certified) == ("agree", False)
    assert not any("jax.scipy.special.hyp2f1" in line for line in report.warnings)
