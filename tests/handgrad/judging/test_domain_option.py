"""`domain=`: right gradients agree in the tangent space of their domain, planted mistakes not."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from handgrad import check_gradient, check_steps
from handgrad.data.domains.named import BY_NAME
from handgrad.data.domains.tangent import Tangent
from handgrad.data.point import point_at
from handgrad.diagnosis.engine import engine
from tests.handgrad.judging.losses_in_domains import (
    COUNTS,
    IN_DOMAINS,
    LARGE,
    SPD,
    InDomain,
    P,
    for_log_det,
    log_det,
    riemannian,
    twice_off_the_diagonal,
)


def check(case: InDomain, gradient: Callable[..., Any], **options: Any) -> Any:
    return check_gradient(gradient, case.loss, *case.at, domain=case.domain, **options)


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_DOMAINS)
def test_right_and_wrong_gradients_in_a_domain(name: str) -> None:
    case = IN_DOMAINS[name]
    for gradient in case.right:
        report = check(case, gradient)
        assert report.verdict == "agree", (gradient, report)
        assert report.points == 9
        assert report.trial is not None
        for outcome in report.trial.outcomes:
            (leaf,), (domain,) = outcome.given.leaves, report.trial.case.domains
            assert domain.inside(leaf).all()
    for gradient in case.wrong:
        report = check(case, gradient, points=2)
        assert report.verdict == "disagree", (gradient, report)


def test_a_domain_is_a_part_of_what_is_said() -> None:
    case = IN_DOMAINS["log det"]
    report = check(case, for_log_det, points=1)
    assert report.headline.startswith("agree: in the tangent space every element is right at ")
    assert report.reproduce.endswith("points=1, domain='symmetric')")


@pytest.mark.slow
def test_without_a_domain_it_is_said_in_which_one_a_gradient_is_right() -> None:
    for name, called in (
        ("likelihood", "lower triangular low: domain='lower triangular'"),
        ("Dirichlet", "p on the simplex: domain='simplex'"),
        ("von Mises-Fisher", "mu on the unit sphere: domain='unit sphere'"),
        ("principal components", "orthogonal q: domain='orthogonal'"),
    ):
        case = IN_DOMAINS[name]
        for gradient, said in ((case.right[0], False), (case.right[1], True)):
            report = check_gradient(gradient, case.loss, *case.at, points=0)
            whole = report.verdict == "agree"
            # Of a triangular factor the second gradient is that of the array.
            assert whole != report.headline.endswith(f"; right for {called}"), report
            assert said or whole or name == "likelihood"
        for gradient in case.wrong:
            report = check_gradient(gradient, case.loss, *case.at, points=0)
            assert "right for" not in report.headline


@pytest.mark.slow
def test_the_smallest_counterexample_is_in_the_domain() -> None:
    case = IN_DOMAINS["log det by a factor"]
    found = check(case, twice_off_the_diagonal, points=0).counterexample
    assert found is not None
    assert np.array_equal(found.params, found.params.T)
    assert (np.linalg.eigvalsh(found.params) > 0).all()
    assert 'points=0, domain="positive definite")' in found.as_code()


@pytest.mark.slow
def test_mistakes_are_named_by_their_part_in_the_tangent_space() -> None:
    case = IN_DOMAINS["Bernoulli"]
    half = check(case, lambda p, k: case.right[0](p, k) / 2, points=0)
    assert half.findings[0].kind == "factor"
    case = IN_DOMAINS["principal components"]
    report = check(case, case.wrong[1])
    assert report.findings[0].kind == "factor"
    assert check(case, lambda q, c, weights: -riemannian(q, c, weights)).findings[0].kind == "sign"


@pytest.mark.slow
def test_a_normal_part_that_changes_is_no_function() -> None:
    """What leaves the domain may be anything, but the same at each call."""
    rng = np.random.default_rng(0)

    def noisy(a: Any) -> Any:
        noise = rng.standard_normal(a.shape)
        return np.linalg.inv(a) + noise - noise.T

    report = check_gradient(noisy, log_det, SPD, points=0, domain="symmetric")
    assert report.findings[0].kind == "not-repeatable"


def test_the_same_loss_at_the_same_point_with_and_without_a_domain() -> None:
    """References that checks share are those of one domain."""
    weights = np.random.default_rng(1).standard_normal((6, 6))
    at = weights + weights.T
    for domain in (None, "symmetric", None):
        report = check_gradient(
            lambda a: weights * a,
            lambda a: jnp.sum(weights * a * a) / 2,
            at,
            points=0,
            domain=domain,
        )
        assert report.verdict == "agree"
        assert report.trial is not None
        ruling = report.trial.outcomes[0].ruling
        assert ruling is not None
        exact = ruling.exact.reshape(at.shape)
        assert (np.abs(exact - exact.T).max() < 1e-12) == (domain is not None)


@pytest.mark.slow
def test_a_gradient_program_is_held_to_series_in_the_tangent_space() -> None:
    big = np.random.default_rng(0).standard_normal((6, 6))
    big = big @ big.T + np.eye(6)
    for slip, verdict in ((1.0, "agree"), (1 + 1e-9, "disagree")):
        report = check_gradient(
            lambda a, s=slip: s * np.tril(twice_off_the_diagonal(a)),
            IN_DOMAINS["log det by a factor"].loss,
            (big + big.T) / 2,
            points=1,
            referee="program",
            domain="positive definite",
        )
        assert report.verdict == verdict, report
        assert "random directions" in report.certificate


def test_backpropagation_with_a_mistake_is_projected_as_well() -> None:
    def loss(p: Any, n: Any) -> Any:
        return -jnp.sum(n * jnp.log(p))

    given, domain = point_at(P, (COUNTS,)), BY_NAME["simplex"]
    run = engine(loss, given, domains=[domain])
    exact = -COUNTS / P
    assert np.allclose(run.right(given), exact - exact.mean(), rtol=1e-14)
    assert np.allclose(run.changed(given, {0: 2.0}).sum(), 0.0, atol=1e-13)


def test_steps_have_domains_by_their_names() -> None:
    def forward(a: Any) -> Any:
        return log_det(a), a

    def backward(d: Any, a: Any) -> Any:
        return d * np.linalg.inv(a)

    steps = [("log det", forward, backward)]
    found = check_steps(steps, SPD, points=1, domain={"log det": "symmetric"})
    assert found.reports[0].verdict == "agree"
    with pytest.raises(
        ValueError, match=r"^domain: got the name 'log', expected one of 'log det'$"
    ):
        check_steps(steps, SPD, domain={"log": "symmetric"})


@pytest.mark.slow
def test_losses_in_numpy_and_with_an_operation_without_a_rule() -> None:
    def in_numpy(p: Any) -> Any:
        return sum(-x * np.log(x) if x > 0 else 0.0 for x in p)

    def of_complex(p: Any) -> Any:
        return jnp.sum(jnp.abs(jax.lax.complex(p, p * p)))

    def for_complex(p: Any) -> Any:
        return np.sqrt(1 + p * p) + p * p / np.sqrt(1 + p * p)

    for loss, gradient in ((in_numpy, IN_DOMAINS["entropy"].right[0]), (of_complex, for_complex)):
        for slip, verdict in ((1.0, "agree"), (1.01, "disagree")):
            wrong = lambda p, g=gradient, s=slip: s * g(p) + 5.0  # noqa: E731 (of this slip)
            report = check_gradient(wrong, loss, P, points=1, domain="simplex")
            assert report.verdict == verdict, report


@pytest.mark.slow
@pytest.mark.parametrize("domain", LARGE)
@pytest.mark.parametrize(
    ("dtype", "k"),
    [("float64", 2.0**36), ("float64", 2.0**48), ("float32", 2.0**10), (ml_dtypes.bfloat16, 8.0)],
)
def test_a_large_normal_part_takes_digits_and_no_more(domain: str, dtype: Any, k: float) -> None:
    loss, gradient, points = LARGE[domain]
    for at in points:
        x = BY_NAME[domain].nearest(np.asarray(at), np.asarray(at)).astype(dtype)
        a = np.random.default_rng(0).standard_normal(x.shape).astype(dtype)
        k_ = np.asarray(k, dtype)[()]

        def rounded(*args: Any, of: Any = gradient, dtype: Any = dtype) -> Any:
            return np.asarray(of(*args), dtype)

        def in_tangent_space(x: Any, a: Any, k: Any, domain: str = domain) -> Any:
            found = Tangent([BY_NAME[domain]], [x]).of_floats(np.ravel(gradient(x, a, k)))
            return found.reshape(x.shape).astype(x.dtype)

        def wrong(x: Any, a: Any, k: Any) -> Any:
            return rounded(x, a + a * (a == a.max()), k)

        options = {"points": 0, "domain": domain}
        # 2**48 leaves five bits of float64, which prove nothing.
        also = {"undecidable"} if k == 2.0**48 else set()
        for right in (rounded, in_tangent_space):
            assert check_gradient(right, loss, x, a, k_, **options).verdict in {"agree", *also}
        assert check_gradient(wrong, loss, x, a, k_, **options).verdict in {"disagree", *also}
