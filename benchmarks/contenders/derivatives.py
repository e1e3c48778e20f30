"""Other methods than reverse mode: forward mode, and central differences.

Both take one or two passes for each parameter, so they suit small numbers of parameters only.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from benchmarks.problems.gate import Gate
from benchmarks.problems.gradient import GradientProblem
from benchmarks.ready import Leaves, Ready, Unavailable, jitted

#: Most parameters for which these methods are timed.
MOST_PARAMETERS = 1500


def expect_one(problem: GradientProblem) -> None:
    """Refuse many networks at once."""
    if problem.losses:
        raise Unavailable("it takes one network with one sample at a time")


def forward_mode(problem: GradientProblem) -> Ready:
    """Prepare forward mode: `jax.jvp` along every parameter, in parallel under `vmap`."""
    loss, (_, *inputs) = problem.loss, problem.arguments
    flat, nested = _few(problem)
    basis = jnp.eye(flat.size, dtype=flat.dtype)

    def value_and_gradient(flat: Any, *inputs: Any) -> Any:
        def along(tangent: Any) -> Any:
            return jax.jvp(lambda p: loss(nested(p), *inputs), (flat,), (tangent,))

        values, slopes = jax.vmap(along, out_axes=(None, 0))(basis)
        return values, nested(slopes)

    return jitted(value_and_gradient, (flat, *inputs))


def central_differences(problem: GradientProblem) -> Ready:
    """Prepare (L(θ + h eᵢ) - L(θ - h eᵢ)) / 2h for every parameter, in parallel under `vmap`.

    h is ε^(1/3), where rounding and truncation errors are about equal (Press et al., Numerical
    Recipes, section 5.7).
    """
    loss, (_, *inputs) = problem.loss, problem.arguments
    flat, nested = _few(problem)
    step = step_of(flat.dtype)
    basis = jnp.eye(flat.size, dtype=flat.dtype) * step

    def value_and_differences(flat: Any, *inputs: Any) -> Any:
        def across(move: Any) -> Any:
            ahead, behind = loss(nested(flat + move), *inputs), loss(nested(flat - move), *inputs)
            return (ahead - behind) / (2 * step)

        return loss(nested(flat), *inputs), nested(jax.vmap(across)(basis))

    def judge(gate: Gate) -> Gate:
        return gate.wider(allowance(gate, problem))

    return jitted(value_and_differences, (flat, *inputs), judge=judge)


def step_of(dtype: Any) -> Any:
    """Return h as a number of that dtype."""
    return np.dtype(dtype).type(np.finfo(dtype).eps ** (1 / 3))


def allowance(gate: Gate, problem: GradientProblem) -> Leaves:
    """Compute how far right differences may be from the gradient, leaf by leaf.

    The truncation error is the same formula in higher precision, minus the gradient. Both losses
    may be off by the gate's tolerance for a loss, divided by 2h. Rounding θ ± h changes the step by
    up to u |θ| on either side, and the slope by the same relative amount.
    """
    params, *inputs = problem.arguments
    found, tree = jax.tree.flatten(params)
    dtype = found[0].dtype
    wide, step = np.longdouble if dtype == np.float64 else np.float64, step_of(dtype)
    point, exact = ([np.array(leaf, wide) for leaf in of] for of in (found, inputs))

    def loss(leaf: int, element: int, move: Any) -> Any:
        moved = [array.copy() for array in point]
        moved[leaf].flat[element] += move
        return problem.by_hand(tree.unflatten([array[()] for array in moved]), *exact)[0]

    def slope(leaf: int, element: int) -> float:
        ahead, behind = (loss(leaf, element, move) for move in (wide(step), -wide(step)))
        return float((ahead - behind) / (2 * wide(step)))

    extra, rounding = [np.zeros(())], float(gate.allowed[0]) / float(step)
    for at, (leaf, slopes) in enumerate(zip(found, gate.reference[1:], strict=True)):
        differences = np.array([slope(at, i) for i in range(np.size(leaf))]).reshape(np.shape(leaf))
        moved = np.finfo(dtype).eps * np.abs(leaf / step) * np.abs(slopes)
        extra.append(np.abs(differences - slopes) + rounding + moved)
    return extra


def _few(problem: GradientProblem) -> tuple[Any, Callable[[Any], Any]]:
    expect_one(problem)
    flat, nested = ravel_pytree(problem.params)
    if flat.size > MOST_PARAMETERS:
        raise Unavailable(f"{flat.size} parameters, a pass for each; timed up to {MOST_PARAMETERS}")
    return flat, nested
