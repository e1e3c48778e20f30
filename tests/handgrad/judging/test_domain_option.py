"""`domain=`: right gradients agree in the tangent space of their domain, planted mistakes not."""

from collections.abc import Callable
from typing import Any, NamedTuple

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

RNG = np.random.default_rng(0)
ROOT = RNG.standard_normal((3, 3))
SPD = ROOT @ ROOT.T + np.eye(3)
SPD = (SPD + SPD.T) / 2
FACTOR = np.linalg.cholesky(SPD)
Q, _ = np.linalg.qr(RNG.standard_normal((4, 4)))
P = np.array([0.2, 0.5, 0.3])
UNIT = np.array([0.48, -0.6, 0.64])
DATA = RNG.standard_normal((5, 3))
COUNTS = np.array([3.0, 1.0, 4.5])


def log_det(a: Any) -> Any:
    return jnp.linalg.slogdet(a)[1]


def for_log_det(a: Any) -> Any:
    return np.linalg.inv(a)


def twice_off_the_diagonal(a: Any) -> Any:
    return np.linalg.inv(a) * np.where(np.eye(len(a)), 1.0, 2.0)


def likelihood(low: Any, x: Any) -> Any:
    """Return -log of the Gaussian density of rows, by the Cholesky factor of the covariance."""
    white = jax.scipy.linalg.solve_triangular(low, x.T, lower=True)
    return 0.5 * jnp.sum(white**2) + len(x) * jnp.sum(jnp.log(jnp.diag(low)))


def for_likelihood(low: Any, x: Any) -> Any:
    """∂/∂L of ½·Σ|L⁻¹x|² is -L⁻ᵀ·z·zᵀ for z = L⁻¹x; its upper triangle is that of a full L."""
    z = np.linalg.solve(low, x.T)
    return -np.linalg.solve(low.T, z @ z.T) + len(x) * np.diag(1 / np.diag(low))


def zeros_above(low: Any, x: Any) -> Any:
    return np.tril(for_likelihood(low, x))


def diagonal_forgotten(low: Any, x: Any) -> Any:
    return np.tril(for_likelihood(low, x)) - len(x) * np.diag(1 / np.diag(low))


def dirichlet(p: Any, alpha: Any) -> Any:
    normal = jax.scipy.special.gammaln(alpha.sum()) - jax.scipy.special.gammaln(alpha).sum()
    return normal + jnp.sum((alpha - 1) * jnp.log(p))


def entropy(p: Any) -> Any:
    return -jnp.sum(p * jnp.log(p))


def tangential(of: Callable[..., Any]) -> Callable[..., Any]:
    """Return a gradient on the simplex with its mean taken off."""
    return lambda p, *inputs: of(p, *inputs) - of(p, *inputs).mean()


def by_logits(p: Any, alpha: Any) -> Any:
    """The softmax Jacobian p·(g - p·g), left out of a gradient by logits or put in by mistake."""
    g = (alpha - 1) / p
    return p * (g - (p * g).sum())


def von_mises_fisher(mu: Any, x: Any, kappa: float) -> Any:
    return kappa * jnp.sum(x @ mu)


def for_mean(_: Any, x: Any, kappa: float) -> Any:
    return kappa * x.sum(axis=0)


def tangential_only(mu: Any, x: Any, kappa: float) -> Any:
    g = for_mean(mu, x, kappa)
    return g - mu * (mu @ g)


def radial_only(mu: Any, x: Any, kappa: float) -> Any:
    g = for_mean(mu, x, kappa)
    return mu * (mu @ g)


M = RNG.standard_normal((4, 4))
C = M + M.T


def pca(q: Any, c: Any, weights: Any) -> Any:
    return jnp.sum(weights * jnp.diag(q.T @ c @ q))


def for_pca(q: Any, c: Any, weights: Any) -> Any:
    return 2 * c @ q * weights


def riemannian(q: Any, c: Any, weights: Any) -> Any:
    g = for_pca(q, c, weights)
    return g - q @ (q.T @ g + g.T @ q) / 2


def transposed(q: Any, c: Any, weights: Any) -> Any:
    return for_pca(q, c, weights).T


def gamma(p: Any, x: Any) -> Any:
    shape, rate = p
    logs = shape * jnp.log(rate) - jax.scipy.special.gammaln(shape) + (shape - 1) * jnp.log(x)
    return jnp.sum(logs - rate * x)


def for_gamma(p: Any, x: Any) -> Any:
    shape, rate = p
    by_shape = np.log(rate) - float(jax.scipy.special.digamma(shape)) + np.log(x)
    return np.array([by_shape.sum(), (shape / rate - x).sum()])


def of_logs(p: Any, x: Any) -> Any:
    """The gradient by log(p), which has a factor p, handed over as that by p."""
    return p * for_gamma(p, x)


TIMES = np.array([0.5, 1.5, 2.0, 0.7])
WEIGHTS = np.array([4.0, 3.0, 2.0, 1.0])


class Pair(NamedTuple):
    """A loss in a domain, gradients that are right in it, and wrong ones."""

    domain: Any
    loss: Callable[..., Any]
    at: tuple[Any, ...]
    right: tuple[Callable[..., Any], ...]
    wrong: tuple[Callable[..., Any], ...]


PAIRS = {
    "log det": Pair(
        "symmetric",
        log_det,
        (SPD,),
        (for_log_det, lambda a: np.tril(twice_off_the_diagonal(a))),
        (twice_off_the_diagonal, lambda a: np.tril(for_log_det(a))),
    ),
    "log det by a factor": Pair(
        "positive definite",
        lambda a: 2 * jnp.sum(jnp.log(jnp.diag(jnp.linalg.cholesky(a)))),
        (SPD,),
        (for_log_det,),
        (twice_off_the_diagonal, lambda a: -for_log_det(a)),
    ),
    "likelihood": Pair(
        "lower triangular",
        likelihood,
        (FACTOR, DATA),
        (for_likelihood, zeros_above),
        (diagonal_forgotten, lambda low, x: for_likelihood(low, x).T),
    ),
    "Dirichlet": Pair(
        "simplex",
        dirichlet,
        (P, COUNTS),
        (lambda p, alpha: (alpha - 1) / p, tangential(lambda p, alpha: (alpha - 1) / p)),
        (by_logits, lambda p, alpha: alpha / p),
    ),
    "entropy": Pair(
        "simplex",
        entropy,
        (P,),
        (lambda p: -np.log(p) - 1, lambda p: -np.log(p)),
        (lambda p: np.log(p), lambda p: -np.log(p) - p),
    ),
    "von Mises-Fisher": Pair(
        "unit sphere",
        von_mises_fisher,
        (UNIT, DATA, 2.5),
        (for_mean, tangential_only),
        (radial_only, lambda mu, x, kappa: for_mean(mu, x, 1.0)),
    ),
    "principal components": Pair(
        "orthogonal",
        pca,
        (Q, C, WEIGHTS),
        (for_pca, riemannian),
        (transposed, lambda q, c, weights: for_pca(q, c, weights) / 2),
    ),
    "gamma": Pair("positive", gamma, (np.array([2.5, 0.8]), TIMES), (for_gamma,), (of_logs,)),
    "Bernoulli": Pair(
        ("interval", 0, 1),
        lambda p, k: -jnp.sum(k * jnp.log(p) + (1 - k) * jnp.log1p(-p)),
        (P, np.array([1.0, 0.0, 1.0])),
        (lambda p, k: (p - k) / (p * (1 - p)),),
        (lambda p, k: p - k,),
    ),
    "a mask": Pair(
        np.array([True, False, True]),
        lambda w, x: jnp.sum((x @ w) ** 2),
        (UNIT, DATA),
        (lambda w, x: 2 * x.T @ (x @ w), lambda w, x: 2 * x.T @ (x @ w) * [1.0, 0.0, 1.0]),
        (lambda w, x: 2 * x.T @ (x @ w) * [1.0, 0.0, 0.0],),
    ),
}


def check(pair: Pair, gradient: Callable[..., Any], **options: Any) -> Any:
    return check_gradient(gradient, pair.loss, *pair.at, domain=pair.domain, **options)


@pytest.mark.slow
@pytest.mark.parametrize("name", PAIRS)
def test_right_and_wrong_gradients_in_a_domain(name: str) -> None:
    pair = PAIRS[name]
    for gradient in pair.right:
        report = check(pair, gradient)
        assert report.verdict == "agree", (gradient, report)
        assert report.points == 9
        assert report.trial is not None
        for outcome in report.trial.outcomes:
            (leaf,), (domain,) = outcome.given.leaves, report.trial.case.domains
            assert domain.inside(leaf).all()
    for gradient in pair.wrong:
        report = check(pair, gradient, points=2)
        assert report.verdict == "disagree", (gradient, report)


def test_a_domain_is_a_part_of_what_is_said() -> None:
    pair = PAIRS["log det"]
    report = check(pair, for_log_det, points=1)
    assert report.headline.startswith("agree: in the tangent space every element is right at ")
    assert report.reproduce.endswith("points=1, domain='symmetric')")


def test_a_mask_frees_a_number_or_some_element() -> None:
    def square(w: Any) -> Any:
        return (w * w).sum()

    at, loss = np.array(0.3), square
    assert check_gradient(lambda w: 2 * w, loss, at, points=0, domain=np.array(True))
    with pytest.raises(ValueError, match=r"^domain: got array\(\[False.* nothing would be judged$"):
        check_gradient(lambda w: w, loss, np.ones(3), domain=np.zeros(3, bool))


@pytest.mark.slow
def test_without_a_domain_it_is_said_in_which_one_a_gradient_is_right() -> None:
    for name, called in (
        ("likelihood", "lower triangular low: domain='lower triangular'"),
        ("Dirichlet", "p on the simplex: domain='simplex'"),
        ("von Mises-Fisher", "mu on the unit sphere: domain='unit sphere'"),
        ("principal components", "orthogonal q: domain='orthogonal'"),
    ):
        pair = PAIRS[name]
        for gradient, said in ((pair.right[0], False), (pair.right[1], True)):
            report = check_gradient(gradient, pair.loss, *pair.at, points=0)
            whole = report.verdict == "agree"
            # Of a triangular factor the second gradient is that of the array.
            assert whole != report.headline.endswith(f"; right for {called}"), report
            assert said or whole or name == "likelihood"
        for gradient in pair.wrong:
            report = check_gradient(gradient, pair.loss, *pair.at, points=0)
            assert "right for" not in report.headline


@pytest.mark.slow
def test_the_smallest_counterexample_is_in_the_domain() -> None:
    pair = PAIRS["log det by a factor"]
    found = check(pair, twice_off_the_diagonal, points=0).counterexample
    assert found is not None
    assert np.array_equal(found.params, found.params.T)
    assert (np.linalg.eigvalsh(found.params) > 0).all()
    assert 'points=0, domain="positive definite")' in found.as_code()


@pytest.mark.slow
def test_mistakes_are_named_by_their_part_in_the_tangent_space() -> None:
    pair = PAIRS["Bernoulli"]
    half = check(pair, lambda p, k: pair.right[0](p, k) / 2, points=0)
    assert half.findings[0].kind == "factor"
    pair = PAIRS["principal components"]
    report = check(pair, pair.wrong[1])
    assert report.findings[0].kind == "factor"
    assert check(pair, lambda q, c, weights: -riemannian(q, c, weights)).findings[0].kind == "sign"


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
            PAIRS["log det by a factor"].loss,
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

    for loss, gradient in ((in_numpy, PAIRS["entropy"].right[0]), (of_complex, for_complex)):
        for slip, verdict in ((1.0, "agree"), (1.01, "disagree")):
            wrong = lambda p, g=gradient, s=slip: s * g(p) + 5.0  # noqa: E731 (of this slip)
            report = check_gradient(wrong, loss, P, points=1, domain="simplex")
            assert report.verdict == verdict, report


#: Losses whose gradient is mostly normal, by a factor k, and their gradients.
LARGE = {
    "unit sphere": (
        lambda x, a, k: k / 2 * (x * x).sum() + (a * x).sum(),
        lambda x, a, k: k * x + a,
        (UNIT, np.eye(3)[1], np.array([0.6, 0.0, 0.8])),
    ),
    "orthogonal": (
        lambda q, a, k: k / 2 * (q * q).sum() + (a * q).sum(),
        lambda q, a, k: k * q + a,
        (Q[:3, :3] @ np.eye(3), np.eye(3), np.eye(3)[[1, 0, 2]]),
    ),
    "symmetric": (
        lambda s, a, k: k * (s[0, 1] - s[1, 0]) + (a * s).sum(),
        lambda s, a, k: a + k * (np.eye(3)[[1, 0, 2]] * [[0, 1, 0], [-1, 0, 0], [0, 0, 0]]),
        (SPD, np.eye(3)),
    ),
    "simplex": (
        lambda p, a, k: k * p.sum() + (a * p).sum(),
        lambda p, a, k: k + a + 0 * p,
        (P, np.array([0.25, 0.5, 0.25])),
    ),
}


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
