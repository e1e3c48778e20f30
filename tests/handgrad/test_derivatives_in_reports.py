"""Jacobians, Hessians and products in what other checks have: code, audits, advice, errors."""

from functools import partial
from typing import Any

import numpy as np
import pytest
from scipy import special

from handgrad import audit, check_hessian, check_hvp, check_jacobian
from handgrad.shrinking.counterexample import Counterexample
from tests.handgrad.only_called import OnlyCalled
from tests.handgrad.test_derivatives import P, T, X, Y, squares


def test_the_counterexample_of_a_product_is_a_call_of_its_check() -> None:
    report = check_hvp(lambda p, v, t, y: -v, squares, P, T, Y, points=0)
    case = report.trial.case
    found = Counterexample(P, (P, T, Y), "wrong", case).as_code()
    assert "assert_hvp(hessp, squares, p, t, y, v=v, points=0)" in found


def test_what_can_only_be_called_is_judged_by_differences_or_refused_in_one_line() -> None:
    """What was computed in another arithmetic is not shown by differences."""

    @OnlyCalled
    def called(x: Any) -> Any:
        return sum(float(special.gammaln(number)) for number in x)

    def slope(x: Any) -> Any:
        return special.digamma(x)

    for_jax = r"JAX cannot trace special\.gammaln\(number\)[^\n]*"
    x = X[X > 0]
    short: Any = {"computed_in": "float32"}
    stops = rf"{for_jax}on power series, line \d+[^\n]*$"
    with pytest.raises(TypeError, match=rf"^fun: .*{stops}"):
        check_jacobian(slope, called, x, **short)
    with pytest.raises(TypeError, match=rf"^loss: .*{stops}"):
        check_hessian(lambda x: np.diag(slope(x)), called, x, **short)
    with pytest.raises(TypeError, match=rf"^loss: .*{for_jax}$"):
        check_hvp(lambda x, v: slope(x) * v, called, x, **short)
    assert check_jacobian(slope, called, x, points=0).verdict == "agree"


@pytest.mark.slow
def test_an_audit_plants_mistakes_in_products_and_matrices() -> None:
    product = partial(check_hvp, lambda x, v: 2 * v, lambda x: (x * x).sum(), X[:2])
    matrix = partial(check_hessian, lambda _: 2 * np.eye(2), lambda x: (x * x).sum(), X[:2])
    found = audit({"product": product, "matrix": matrix}, points=0)
    assert found
    planted = found.power().planted
    alone = [p for name in found for p in found[name].power().planted]
    assert [(p.mistake, p.caught, p.change) for p in planted] == [
        (p.mistake, p.caught, p.change) for p in alone
    ]
    places = {p.where.partition(", ")[0] for p in planted}
    assert places == {"product", "matrix"}
    assert found["matrix"].power().missed == ()
