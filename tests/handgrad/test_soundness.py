"""Where a judge could be led astray: what it cannot know it must not pass, nor turn down."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import autodiff.article
import manual.article
from handgrad import check_gradient, exact_gradient
from tests.handgrad.only_called import OnlyCalled
from tests.tiers import one_of_each, slowly


def opaque(*values: float) -> Callable[..., np.ndarray]:
    """An answer whose lines run in floats alone, and so give no evidence beside themselves."""
    return lambda p, *_: np.array([v + 0.0 * float(p.flat[0]) for v in values], dtype=p.dtype)


def constant(*values: float) -> Callable[..., np.ndarray]:
    return lambda p, *_: np.array(values, dtype=p.dtype).reshape(p.shape)


def hidden_root(p: Any) -> Any:
    return jnp.sum(jnp.where(p > 1e-3, jnp.sqrt(jnp.abs(p)), 0.0))


def guarded_root(p: Any) -> Any:
    root = jnp.where(p[0] > 0, jnp.sqrt(jnp.where(p[0] > 0, p[0], 1.0)), 0.0)
    return root + jnp.sum(p**2)


def root_not_taken(p: Any) -> Any:
    return jnp.where(p[0] > 100, jnp.sqrt(p[0] - p[0]), 3 * p[0] + 2 * p[1])


@pytest.mark.parametrize(
    ("answer", "loss", "at", "verdict"),
    [
        # JAX's program is not a number here; that is no reason to pass any answer.
        (constant(0, 0.25), hidden_root, [0.0, 4.0], "agree"),
        (constant(7, 0.25), hidden_root, [0.0, 4.0], "disagree"),
        (opaque(7, 0.25), hidden_root, [0.0, 4.0], "disagree"),
        slowly(constant(0, 0.26), hidden_root, [0.0, 4.0], "disagree"),
        slowly(constant(3, 2), root_not_taken, [0.1, 4.0], "agree"),
        slowly(constant(-3, 2), root_not_taken, [0.1, 4.0], "disagree"),
        # To first order the argument does not move, and yet the function does.
        slowly(constant(0), lambda p: jnp.sum(jnp.cbrt(p**3)), [0.0], "undecidable"),
        slowly(constant(1, 0), lambda p: jnp.sqrt(jnp.sum(p**2)), [0.0, 0.0], "undecidable"),
        slowly(lambda p: 2 * p, guarded_root, [0.0, *[1.0] * 39], "undecidable"),
        # What cannot be compared must not matter.
        slowly(
            constant(1), lambda p: jnp.sum(jnp.where(jnp.isnan(jnp.exp(p)), 0.0, p)), [0.3], "agree"
        ),
        slowly(
            constant(3),
            lambda p: jnp.sum(jnp.where(jnp.sin(p) ** 2 + jnp.cos(p) ** 2 > 1, 5 * p, 3 * p)),
            [0.3],
            "undecidable",
        ),
        # No float is right where the reference is beyond them all.
        (constant(np.inf), lambda p: jnp.sum(p * 1e300) * 1e300, [1e-300], "undecidable"),
    ],
)
@pytest.mark.usefixtures("measured_once")
@pytest.mark.parametrize("referee", one_of_each(["series", "program"], ["program"]))
def test_nothing_passes_for_want_of_knowledge(
    answer: Any, loss: Any, at: list[float], verdict: str, referee: str
) -> None:
    report = check_gradient(answer, loss, np.array(at), points=0, referee=referee)
    assert report.verdict == verdict, str(report)


@pytest.mark.slow
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("side", [0, 1])
def test_at_a_kink_either_side_has_its_own_rounding(sign: int, side: int) -> None:
    def loss(p: Any, x: Any, y: Any) -> Any:
        return jnp.sum(jax.nn.relu(sign * p) * x * y / 3)

    def gradient(p: Any, x: Any, y: Any) -> Any:
        return side * sign * x * y / 3 * np.ones_like(p)

    report = check_gradient(
        gradient, loss, np.zeros(1), np.array([0.1]), np.array([0.7]), points=0, strict=True
    )
    assert report.verdict == "agree", str(report)


@pytest.mark.slow
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("side", [0, 1])
def test_at_a_kink_a_slope_may_be_far_larger_on_one_side(sign: int, side: int) -> None:
    def loss(p: Any) -> Any:
        return jnp.sum(1e8 * jax.nn.relu(sign * p) + 1e-9 * p)

    report = check_gradient(opaque(side * sign * 1e8 + 1e-9), loss, np.zeros(1), points=0)
    assert report.verdict == "agree", str(report)


@pytest.mark.slow
def test_where_half_an_ulp_leads_out_of_the_domain_no_unit_is_known() -> None:
    """√(p - c) for neighbouring floats: c may as well be p, and one draw or another has it so."""
    c = np.array([1.5])
    p = np.nextafter(c, 2)
    verdicts = {
        check_gradient(
            opaque(1.0), lambda p, c: jnp.sum(jnp.sqrt(p - c)), p, c, points=0, seed=seed
        ).verdict
        for seed in range(6)
    }
    assert "undecidable" in verdicts


@pytest.mark.slow
@pytest.mark.parametrize(("k", "slope"), [(0, 1.5), (0, 0.5), (1, 0.0), (2, 0.5), (3, 1.0)])
def test_a_kink_among_many_parameters(k: int, slope: float) -> None:
    """Whichever side the first random direction takes."""
    p = np.random.default_rng(0).normal(size=200)
    p[k] = 0

    def gradient(p: Any) -> Any:
        grads = np.sin(p) + p * np.cos(p)
        grads[k] += slope
        return grads

    def loss(p: Any) -> Any:
        return jax.nn.relu(p[k]) + jnp.sum(p * jnp.sin(p))

    report = check_gradient(gradient, loss, p, points=0, referee="program")
    assert report.verdict == ("disagree" if slope > 1 else "agree")


@pytest.mark.slow
def test_a_solver_that_does_not_solve_is_taken_for_what_it_does() -> None:
    def loss(p: Any) -> Any:
        matrix = jnp.stack([jnp.stack([p[0], p[1]]), jnp.stack([p[1], p[2]])])
        diagonal = jnp.stack([p[0], p[2]])
        solution = jax.lax.custom_linear_solve(
            lambda x: matrix @ x, jnp.ones(2), lambda _, b: b / diagonal, symmetric=True
        )
        return jnp.sum(solution)

    p = np.array([2.0, 0.5, 3.0])
    exact = [float(entry) for entry in exact_gradient(loss, p)]
    assert exact == pytest.approx([-1 / 4, 0, -1 / 9], rel=1e-15)


@pytest.mark.slow
def test_a_solver_by_one_triangle_of_what_is_not_symmetric_is_not_certified() -> None:
    """JAX stops the slopes of the factors, and takes the system's for the solution's."""

    def loss(a: Any) -> Any:
        return jnp.sum(jax.scipy.linalg.solve(a, jnp.ones(2), assume_a="pos"))

    def gradient(a: Any) -> Any:
        return -np.outer(np.linalg.solve(a, np.ones(2)), np.linalg.solve(a, np.ones(2)))

    a = np.array([[2.0, 0.5], [0.5, 3.0]])
    assert check_gradient(gradient, loss, a, points=0).certified
    # Around it no matrix is symmetric, which the headline says.
    report = check_gradient(gradient, loss, a, points=2)
    assert report.headline.endswith("; not certified at 2 of 2 other points"), report.headline
    assert report.certificate.endswith("; not certified at 2 of 2 other points")
    a[1, 0] = 0.4
    with pytest.raises(NotImplementedError, match="leaves its system unsolved"):
        exact_gradient(loss, a)


@pytest.mark.slow
def test_an_operation_without_a_rule_is_not_certified() -> None:
    """The answer rests on uncertified witnesses, says so, and still sees a mistake."""

    def loss(p: Any) -> Any:
        singular = jnp.linalg.svd(jnp.fft.fft(p)[:, None], compute_uv=False)
        return jnp.sum(singular**2)

    with pytest.raises(NotImplementedError, match="complex svd"):
        exact_gradient(loss, np.array([0.3, 1.7]))
    for p in (np.array([1.0, 2.0]), np.array([0.3, 1.7]), np.array([3e-100, 1e-100])):
        right = check_gradient(lambda p: 4 * p, loss, p, points=0)
        assert right.verdict != "disagree"
        assert "no rule for `complex svd`" in right.certificate
        assert "not certified" in str(right)
        assert not right.leaves[0].exact.certified
    assert check_gradient(lambda p: 5 * p, loss, np.ones(2), points=0).verdict == "disagree"


@pytest.mark.parametrize("last_bit", one_of_each([0, 1], [0]))
@pytest.mark.parametrize(("other", "seed"), [(1, 0), (2, 0), (2, 3), (2, 6)])
def test_an_estimate_knows_the_conditioning_of_a_difference(
    last_bit: int, other: int, seed: int
) -> None:
    """Half an ulp of one of two parameters that nearly cancel changes the gradient most."""

    def loss(p: Any, c: Any, row: Any) -> Any:
        difference = 1e3 * (p[row, 0] - p[row, other])
        number = jax.lax.complex(difference, c)
        size = jnp.linalg.svd(number[None, None], compute_uv=False)[0]
        return size + p[row, 3 - other]

    def gradient(p: Any, c: Any, _: Any) -> Any:
        difference = 1e3 * float(p[0, 0]) - 1e3 * float(p[0, other])
        slope = 1e3 * difference / math.sqrt(difference**2 + float(c) ** 2)
        found = np.array([[slope, -slope, -slope]])
        found[0, 3 - other] = 1.0
        return found

    p = np.array([[0.7, 0.6997, 0.6997]])
    p = (p.view(np.int64) // 2 * 2 + last_bit).view(np.float64)
    inputs = np.float64(1.0), np.int64(0)
    # At the last two seeds all draws move the two alike.
    report = check_gradient(gradient, loss, p, *inputs, points=0, seed=seed)
    assert "3 of 3 elements held to finite differences" in report.certificate
    assert report.verdict == "agree", str(report)


@pytest.mark.slow
def test_clipping_is_a_trusted_rule_that_is_not_linear() -> None:
    @jax.custom_vjp
    def clipped(x: Any) -> Any:
        return x

    clipped.defvjp(lambda x: (x, None), lambda _, c: (jnp.clip(c, -0.1, 0.1),))

    def loss(p: Any) -> Any:
        return jnp.sum(clipped(p) ** 2)

    def gradient(p: Any) -> Any:
        return np.clip(2 * p, -0.1, 0.1)

    p = np.array([0.5, 1.0])
    trusted = check_gradient(gradient, loss, p, trust_rules=[clipped])
    assert trusted.verdict == "agree"
    assert "not certified" in trusted.certificate
    assert check_gradient(gradient, loss, p).verdict == "disagree"
    unused = check_gradient(gradient, loss, p, points=0, trust_rules=["cliped"])
    assert any("no custom rule 'cliped'" in warning for warning in unused.warnings)


@pytest.mark.slow
def test_a_wrong_formula_inside_of_what_rounding_may_do() -> None:
    """The same lines in exact arithmetic show it: a factor of 1 + 1e-5 in single precision."""
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(7, 3)).astype(np.float32), np.ones(3, np.float32)

    def loss(w: Any, x: Any) -> Any:
        return jnp.mean((x @ w - 1) ** 2)

    def gradient(w: Any, x: Any, factor: float = 1.0) -> Any:
        return (2 * x.T @ (x @ w - 1) / len(x) * np.float32(factor)).astype(w.dtype)

    assert check_gradient(gradient, loss, w, x).verdict == "agree"
    wrong = check_gradient(lambda w, x: gradient(w, x, 1 + 1e-5), loss, w, x, points=0)
    assert wrong.verdict == "disagree"


@pytest.mark.slow
@pytest.mark.parametrize(("factor", "verdict"), [(1.0, "agree"), (3.0, "disagree")])
def test_an_order_is_a_whole_number_whatever_rounding_does(factor: float, verdict: str) -> None:
    """A tolerance of 73 times the gradient left every factor `undecidable`."""

    def loss(p: Any) -> Any:
        return jnp.sum(jax.lax.polygamma(jnp.full_like(p, 2.0), 0.5 + p**2))

    p = np.array([0.3, -1.1, 0.7])
    exact = [float(entry) for entry in exact_gradient(loss, p)]
    report = check_gradient(opaque(*(factor * np.array(exact))), loss, p, points=0)
    assert report.verdict == verdict, str(report)


def test_what_the_gradient_raises_elsewhere_is_said() -> None:
    at = np.array([0.1, 0.2])

    def gradient(p: Any) -> Any:
        if not np.array_equal(p, at):
            raise RuntimeError("only here")
        return 2 * p

    def loss(p: Any) -> Any:
        return jnp.sum(p**2)

    report = check_gradient(gradient, loss, at, points=4)
    assert report.verdict == "agree"
    assert report.dropped == 0
    assert "the gradient raised RuntimeError: only here, at 4 of 4 other points" in report.warnings
    with pytest.raises(RuntimeError, match="only here"):
        check_gradient(gradient, loss, at, points=[(2 * at,)])


def test_losses_that_need_their_inputs_as_numbers() -> None:
    w = np.array([0.1, 0.2])
    assert check_gradient(lambda p, x: np.exp(x), lambda p, x: jnp.sum(p * np.exp(x)), w, w).passes
    assert check_gradient(
        lambda p, a: a + 0 * p, lambda p, a: jnp.sum(p) * (a if a > 0 else 1), w, np.float64(2)
    ).passes


def test_losses_that_cannot_be_judged_say_so_in_one_line() -> None:
    w = np.array([0.1, 0.2])
    with pytest.raises(TypeError, match=r"loss: .*JAX cannot trace np\.exp\(p\); write jnp\.exp"):
        check_gradient(lambda p: p, OnlyCalled(lambda p: jnp.sum(np.exp(p))), w, referee="series")
    with pytest.raises(TypeError, match="loss: got 3, expected a function"):
        check_gradient(lambda p: p, 3, w)  # pyright: ignore[reportArgumentType] (the point of it)
    with pytest.raises(ValueError, match="seed: got -1"):
        check_gradient(lambda p: p, lambda p: jnp.sum(p), w, seed=-1)


@pytest.mark.slow
def test_bob() -> None:
    """The article's network, saturated: a zero for 1.6e-13 is wrong, and 2.3e-4 is autodiff's."""
    params = autodiff.article.Parameters(*manual.article.ones_parameters())
    point = params, np.array([25.0, 6.0]), np.float64(0)

    def zeroed(*point: Any) -> Any:
        return manual.article.gradient(*point)._replace(w1=np.float64(0))

    right = check_gradient(manual.article.gradient, autodiff.article.loss, *point)
    assert (right.verdict, right.blame) == ("agree", "autodiff")
    (w1, *_) = right.leaves
    assert w1.exact.midpoint.startswith("1.5917677342738904979")
    assert abs(w1.autodiff / float(w1.exact) - 1) == pytest.approx(2.3e-4, rel=0.02)
    wrong = check_gradient(zeroed, autodiff.article.loss, *point)
    assert (wrong.verdict, wrong.blame) == ("disagree", "yours")
    assert [finding.kind for finding in wrong.findings if finding.leaf == "params.w1"] == ["zero"]
