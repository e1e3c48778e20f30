"""The certified gradient: enclosures of numbers known otherwise, programs held to series."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons, MorePrecisionNeededError
from handgrad.arithmetic.smoothness import UndecidableKinkError
from handgrad.oracle import evaluate, random_directions
from handgrad.oracle.certify import certify
from handgrad.oracle.reference import UndecidableError, element_scale
from handgrad.program.interpreter import UncertifiedPrimitiveError
from handgrad.tolerance.measuring import measure
from tests.handgrad.oracle.problems import certified, problem


def network(p: Any, x: Any, y: Any) -> Any:
    h = jnp.tanh(x @ p["w"] + p["b"][None, :])
    return jnp.mean((h @ p["v"] - y) ** 2)


def network_at(n_in: int, n_hidden: int, n_out: int) -> Any:
    rng = np.random.default_rng(11)
    params = {
        "w": rng.normal(size=(n_in, n_hidden)),
        "b": rng.normal(size=n_hidden),
        "v": rng.normal(size=(n_hidden, n_out)),
    }
    return params, rng.normal(size=(2, n_in)), rng.normal(size=(2, n_out))


def test_a_program_says_the_same_as_series() -> None:
    point = network_at(7, 11, 3)
    series, program = (certified(network, *point, method=m) for m in ("series", "program"))
    assert (series.known & program.known).all()
    assert ("every element" in series.how, "held to" in program.how) == (True, True)
    for p, q in zip(series.gradient, program.gradient, strict=True):
        assert p.overlaps(q)
        # What a random direction does not see belongs to the enclosure.
        assert arb(2) ** -59 * abs(p) <= q.rad() <= arb(2) ** -57 * abs(p)


def test_one_tiny_element_that_is_off_by_2_to_the_minus_50_is_seen() -> None:
    params, x, y = network_at(7, 11, 3)
    params["w"][:] *= 1e-30  # some elements are far smaller than others
    case = problem(network, params, x, y)
    assert case.traced.gradient is not None

    def is_consistent(gradient: np.ndarray) -> bool:
        scale = element_scale(case, gradient)
        return random_directions.is_consistent(case, gradient, scale, bits=768)

    drawn = [random_directions.equalising(case, np.ones(case.size)) for _ in range(2)]
    assert not balls.midpoints(drawn[0] - drawn[1]).any()  # the same in every run
    with balls.precision(768):
        _, right = evaluate.gradient(case, case.traced.gradient, case.arguments(), Comparisons())
        assert is_consistent(right)
        for element in (0, 40, 120):
            wrong = right.copy()
            wrong[element] = wrong[element] * (1 + arb(2) ** -50)
            assert not is_consistent(wrong)
        wrong[40] = right[40] + arb(0, 2.0**-50) * right[40]
        wrong[120] = right[120]
        with pytest.raises(MorePrecisionNeededError):
            is_consistent(wrong)


def test_a_sample_has_a_unit_for_each_known_element() -> None:
    at = np.linspace(0.1, 2, 11)
    at[1] = at[0]  # a tie that does not matter
    loss: Any = lambda p: jnp.sum(jnp.exp(9 * p)) + jnp.abs(p[0] - p[1]) ** 2  # noqa: E731
    case = replace(problem(loss, at), suspects=(0, 1))
    with balls.precision(192):
        reference = random_directions.by_sample(case, 192, seconds=0.0, took=1.0)
    known, expected = reference.known, 9 * np.exp(9 * at)
    assert reference.how.startswith("8 of 11 elements, drawn at random and from where the witness")
    assert (known.sum(), known[:2].all()) == (8, True)
    found = balls.midpoints(reference.gradient)
    np.testing.assert_allclose(found, np.where(known, expected, 0), rtol=1e-14)
    # Half an ulp of the parameter, and of the slope itself.
    half = 9 * expected * np.spacing(at) / 2 + np.spacing(expected) / 2
    np.testing.assert_allclose(measure(case, reference, 0).full.unit[known], half[known], 0.02)


@pytest.mark.parametrize(
    ("loss", "at", "error", "says"),
    [
        (jnp.sqrt, 0.0, UndecidableError, "not finite"),
        (jnp.sqrt, -1.0, UndecidableError, "not finite"),
        # A sampler that rejects what it draws has no derivative, though JAX has a rule for one.
        (
            lambda p: jax.random.gamma(jax.random.key(0), p),
            *(0.3, UncertifiedPrimitiveError, "random_gamma"),
        ),
        (
            lambda p: jnp.sum(jax.nn.relu(p)),
            *(np.zeros(30), UndecidableKinkError, "a kink in a gradient of so many elements"),
        ),
    ],
)
def test_what_is_not_certified_is_named(loss: Any, at: Any, error: Any, says: str) -> None:
    with pytest.raises(error, match=says):
        certify(problem(loss, at), method="program", seconds=0.0)
