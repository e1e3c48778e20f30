"""Complex numbers with what else checks have: domains, points, black boxes, more derivatives."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_backward, check_custom, check_gradient
from handgrad.judging.exits import _exits

Z = np.array([0.5 - 0.25j, -1.0 + 0.75j])
X = np.array([0.5, -1.0])


def loss(z: Any) -> Any:
    return jnp.sum(jnp.abs(z) ** 2)


def gradient(z: Any) -> Any:
    return 2 * np.conj(z)


def square(z: Any) -> Any:
    return z * z, z


def square_back(c: Any, z: Any) -> Any:
    return 2 * c * z


def ruled(slope: Any) -> Any:
    """Return z²·conj(z) with a rule that takes `slope(z)` for z² beside the conjugate's tangent."""

    @jax.custom_jvp
    def f(z: Any) -> Any:
        return z * z * jnp.conj(z)

    @f.defjvp
    def rule(at: Any, along: Any) -> Any:
        (z,), (dz,) = at, along
        return f(z), 2 * z * jnp.conj(z) * dz + slope(z) ** 2 * jnp.conj(dz)

    return f


@pytest.mark.slow
def test_a_rule_is_right_in_forward_mode_and_at_second_order() -> None:
    report = check_custom(ruled(lambda z: z), Z, order=2, points=1)
    assert report.headline.endswith("in forward mode and at second order, too")


@pytest.mark.slow
def test_a_rule_is_wrong_at_second_order_alone() -> None:
    stopped = ruled(jax.lax.stop_gradient)
    assert check_custom(stopped, Z, points=0)
    report = check_custom(stopped, Z, order=2, points=0)
    assert report.headline.startswith("disagree at second order: z.")


def test_a_rule_is_wrong_in_forward_mode() -> None:
    report = check_custom(ruled(jnp.conj), Z, modes=("fwd",), points=0)
    assert report.headline.startswith("disagree in forward mode: z.")


def on_circle(x: Any) -> Any:
    return jnp.exp(jax.lax.complex(0 * x, x))


@pytest.mark.slow
@pytest.mark.parametrize("reference", [None, on_circle])
def test_a_rule_has_a_complex_result_of_real_numbers(reference: Any) -> None:
    def turned(x: Any, dx: Any) -> Any:
        return on_circle(x) * jax.lax.complex(0 * dx, dx)

    for slope, verdict in ((turned, "agree"), (lambda x, dx: -turned(x, dx), "disagree")):
        f = jax.custom_jvp(on_circle)
        f.defjvp(lambda at, along, slope=slope: (on_circle(*at), slope(*at, *along)))
        assert check_custom(f, X, reference=reference, points=0).verdict == verdict


@pytest.mark.slow
def test_points_of_parts_are_complex() -> None:
    for report in (
        check_gradient(gradient, loss, Z, points=[(2 * Z,)]),
        check_backward(square, square_back, Z, points=[(2 * Z,)]),
        check_custom(ruled(lambda z: z), Z, points=[(2 * Z,)]),
    ):
        assert report
        assert "2 points judged" in str(report)


def test_a_mask_holds_for_both_parts() -> None:
    mask = np.array([True, False])
    assert check_gradient(lambda z: gradient(z) * mask, loss, Z, domain=mask, points=1)
    report = check_gradient(lambda z: gradient(z) * ~mask, loss, Z, domain=mask, points=1)
    assert report.verdict == "disagree"


@pytest.mark.parametrize("domain", ["positive", ("interval", 0, 1), "unit sphere"])
def test_other_domains_are_of_real_numbers(domain: Any) -> None:
    error = "^domain: got .* for z, expected a boolean array or None for what is complex$"
    for check in (
        lambda: check_gradient(gradient, loss, Z, domain=domain),
        lambda: check_backward(square, square_back, Z, domain=domain),
        lambda: check_custom(ruled(lambda z: z), Z, domain=(domain,)),
    ):
        with pytest.raises(ValueError, match=error):
            check()


def test_two_domains_of_one_array_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^domain: got .*, expected a name for all parameters"):
        check_gradient(gradient, loss, Z, domain=["positive", None])


def test_parts_that_change_their_sign_leave_no_domain() -> None:
    for at, left in ((np.abs(X), True), (np.abs(X) * (1 + 1j), False)):
        trial = check_gradient(gradient, loss, at, points=0).trial
        assert trial is not None
        given = trial.outcomes[0].given
        assert bool([*_exits(trial.case, given, given.moved([-x for x in given.leaves]))]) is left


@pytest.mark.slow
def test_none_is_guessed_for_parts() -> None:
    hermitian = np.array([[1.0, 0.5 - 0.25j], [0.5 + 0.25j, 2.0]])
    skewed = np.array([[0, 1], [-1, 0]])
    report = check_gradient(lambda z: gradient(z) + skewed, loss, hermitian, points=0)
    assert report.verdict == "disagree"
    assert "symmetric" not in str(report)


@pytest.mark.parametrize(("factor", "passes"), [(1.0, True), (1.001, False)])
def test_a_black_box_takes_complex_numbers(factor: float, passes: bool) -> None:
    def called(z: Any) -> float:
        return float(sum(abs(complex(v)) ** 2 for v in z))

    report = check_gradient(lambda z: factor * gradient(z), called, Z, points=1)
    assert bool(report) is passes
    assert "not certified" in report.headline
