"""How far rounding may move a program's results, held against exact gradients."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import exact_gradient
from handgrad.program.form import QUICK
from handgrad.tolerance.rounding import Bounded, bounded
from tests.corpus.operations import STEPS
from tests.corpus.programs import drawn, function, point
from tests.tiers import slowly

#: What random programs consist of; products and sums as often as all others together.
OPERATIONS = {
    name: STEPS[name]
    for name in (
        *("exp", "log", "sqrt", "rsqrt", "sin", "erf", "logistic", "log1p", "tanh", "cbrt"),
        *("square", "integer_pow", "pow", "atan2", "abs", "select_n", "max", "clamp", "gather"),
        *("add", "sub", "mul", "div", "reduce_sum", "cumsum", "dot_general", "reduce_max"),
        *("conv_general_dilated", "reduce_window_sum", "transpose", "concatenate", "scatter-add"),
    )
}


def of_exact(seed: int, dtype: Any) -> list[float]:
    """The gaps of a random program's gradient from the exact one, in units of their bounds."""
    at = point(seed)
    program = drawn(np.random.default_rng([seed, 0]), at, (), 5, OPERATIONS)
    loss, at = function(program.source), jax.tree.map(dtype, at)
    with (
        jax.enable_x64(dtype is np.float64),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        try:
            run = jax.jit(bounded(jax.grad(loss)), compiler_options=QUICK)
            values, errors = jax.tree.map(np.ravel, run(*at))
        except NotImplementedError:  # for one in ten
            return []
        exact = jax.tree.map(np.ravel, exact_gradient(loss, *at))
    found = []
    for name, enclosures in exact.items():
        for value, error, enclosure in zip(values[name], errors[name], enclosures, strict=True):
            exact_value = float(enclosure)
            gap = abs(float(value) - exact_value)
            if exact_value:  # which float64 rounds as well
                gap = enclosure.ulps(float(value)) * np.spacing(abs(exact_value))
            if np.isfinite(error):
                found.append(float(gap / error) if gap else 0.0)
    return found


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.by_day(1)
@pytest.mark.parametrize(
    "seeds", [range(1), *(slowly(range(at, at + 10)) for at in range(1, 201, 10))], ids=str
)
def test_gradients_of_random_programs_lie_within_their_bounds(seeds: Any, dtype: Any) -> None:
    gaps = [gap for seed in seeds for gap in of_exact(int(seed), dtype)]
    assert max(gaps) <= 1
    assert len(gaps) > 8 * len(seeds)  # of 18 elements; some have no finite bound


X, Y = np.random.default_rng(7).normal(size=(2, 10_000)).astype(np.float32)
C = np.linspace(-1, 1, 7, dtype=np.float32)

#: Functions of two numbers in float32, where float64 knows the truth, and by how much of their
#: bounds some result is off at least: of what is rounded once the bound is twice what can be.
IN_FLOAT32 = {
    "a product": (lambda x, y: x * y, 0.4),
    "a quotient": (lambda x, y: x / y, 0.4),
    "a root": (lambda x, y: jnp.sqrt(x * x + y * y), 0.2),
    "a difference that cancels": (lambda x, y: (x + 1) * (x + 1) - x * x, 0.3),
    "the slope of σ": (lambda x, y: jax.nn.sigmoid(x) * jax.nn.sigmoid(-x), 0.05),
    "a slope that cancels": (lambda x, y: 1 - jnp.tanh(3 * x) ** 2, 0.2),
    "the larger": (lambda x, y: jnp.maximum(x * y, x), 0.4),
    "exponentials": (lambda x, y: jnp.exp(20 * x) / (y * y), 0.2),
    "a softmax": (lambda x, y: jax.nn.softmax(jnp.stack([x, 3 * y, x * y]))[0], 0.1),
    "matrices": (lambda x, y: (jnp.sin(x + C)[:, None] * C[None] @ jnp.cos(y - C))[3], 0.03),
}


@pytest.mark.parametrize("name", IN_FLOAT32)
def test_float32_lies_within_its_bounds_and_not_far_within(name: str) -> None:
    function, closest = IN_FLOAT32[name]
    value, error = map(np.asarray, jax.jit(jax.vmap(bounded(function)))(X, Y))
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        gap = abs(value - np.asarray(jax.vmap(function)(X.astype(float), Y.astype(float))))
    assert value.dtype == error.dtype == np.float32
    assert np.all(gap <= error)
    assert np.max(gap / np.where(error > 0, error, 1)) > closest


THIRD = np.float64(1 / 3)
TINY = np.finfo(np.float64).tiny

#: A function, where, and between what its bound lies.
BOUNDS: dict[str, tuple[Any, np.float64, float, float]] = {
    "nothing rounds": (lambda x: -abs(jnp.reshape(x, (1,)))[0], THIRD, 0, 0),
    "a subnormal number may be 0": (lambda x: 1e300 * x, np.float64(5e-324), 1e-8, 1e-7),
    "a square that cancels": (lambda x: (3 * x - 1) ** 2, THIRD, 1e-32, 1e-31),
    "a quotient by a square": (lambda x: jax.lax.integer_pow(x, -2), np.float64(3), 5e-17, 3e-16),
    "a root of 0": (lambda x: jnp.sqrt(x * x), np.float64(0), 1e-154, 1e-153),
    "a denominator that may be 0": (lambda x: 1 / (3 * x - 1), THIRD, np.inf, np.inf),
    "a sigmoid near 1": (jax.nn.sigmoid, np.float64(30), 4e-16, 5e-16),
    "a sigmoid near 0": (jax.nn.sigmoid, np.float64(-30), 1.4e-28, 1.5e-28),
    "a kink": (lambda x: jax.nn.relu(3 * x - 1), THIRD, 1e-16, 1e-15),
    "the slope at it": (jax.grad(lambda x: jax.nn.relu(3 * x - 1)), THIRD, np.inf, np.inf),
    "and not far off": (jax.grad(lambda x: jax.nn.relu(3 * x - 0.99)), THIRD, 0, 1e-15),
    "cases that meet": (lambda x: jnp.where(3 * x > 1, 3 * x, 1.0), THIRD, 1e-16, 1e-15),
    "cases that do not": (lambda x: jnp.where(3 * x > 1, x, 0.0), THIRD, np.inf, np.inf),
    "a count": (lambda x: (3 * x > 1).astype(float), THIRD, np.inf, np.inf),
    "the larger's slope": (jax.grad(lambda x: jnp.maximum(2 * x, x * x)), THIRD, 0, 2e-15),
    "where both are": (jax.grad(lambda x: jnp.maximum(3 * x, 2 - 3 * x)), THIRD, np.inf, np.inf),
    "both must hold": (lambda x: jnp.where((3 * x > 1) & (x > 0), 1.0, x), THIRD, np.inf, np.inf),
    "rows of them": (
        lambda x: jnp.where((3 * x > jnp.ones(2))[None], jnp.ones((1, 2)), x)[0, 1],
        *(THIRD, np.inf, np.inf),
    ),
    "a step": (lambda x: jnp.floor(3 * x), THIRD, np.inf, np.inf),
    "between steps": (lambda x: jnp.floor(4 * x), THIRD, 0, 0),
    "what clamps": (lambda x: jnp.clip(3 * x, 0, 1), THIRD, 1e-16, 1e-15),
    "a number compared with itself": (lambda x: jnp.where(jnp.isnan(3 * x), 0.0, x), THIRD, 0, 0),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds(name: str) -> None:
    function, x, least, most = BOUNDS[name]
    with jax.enable_x64(True):
        assert least <= bounded(function)(x)[1] <= most


def test_arguments_may_have_errors() -> None:
    value, error = bounded(lambda x, y: x * y)(Bounded(X[:3], abs(Y[:3])), np.float32(4))
    assert np.all((error >= 4 * abs(Y[:3])) & (error <= 4.1 * (abs(Y[:3]) + 1e-6 * abs(X[:3]))))
    bound = Bounded(np.array([1.0, np.inf, 1.0]), np.array([0.1, 0.1, np.nan]))
    assert bound.contains(np.array([1.05, np.inf, 1.0])).tolist() == [True, False, False]
    assert np.all(value == 4 * X[:3])


def test_truth_values_say_whether_they_may_be_others() -> None:
    with jax.enable_x64(True):
        value, error = bounded(lambda x: 3 * x > jnp.array([0.5, 1.0]))(THIRD)
    assert value.dtype == error.dtype == bool
    assert error.tolist() == [False, True]


def test_what_is_not_a_number_has_no_bound() -> None:
    value, error = bounded(lambda x: {"log": jnp.log(x), "pair": (x, 2)})(np.float32(-1))
    assert np.isnan(value["log"])
    assert not value["log"] <= error["log"]
    assert value["pair"] == (-1, 2)
    assert not any(error["pair"])


REFUSED = {"sort": jnp.sort, "argmax": jnp.argmax, "%": lambda x: x % 1, "∏": jnp.cumprod}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_covered_is_refused(name: str) -> None:
    with pytest.raises(NotImplementedError, match="there is no rule for"):
        bounded(lambda x: REFUSED[name](x * x))(X[:3])
