"""Find custom derivative rules of JAX that are not the derivative of their function.

The oracle differentiates the functions themselves. If trusting one rule gives another gradient,
that rule is wrong.
"""

from dataclasses import replace

import numpy as np

from handgrad.arithmetic import balls
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.random_directions import equalising, slopes_along
from handgrad.oracle.reference import Reference, element_scale
from handgrad.program.programs import custom_rules

#: Two slopes are different if they differ by more, relative to their terms: both have 80 bits.
SAME = 2.0**-60


def broken_rules(
    problem: Problem, reference: Reference, left_out: np.ndarray | float = 0.0
) -> list[str]:
    """Return the names of functions whose custom rule is not their derivative, in order of use.

    Args:
        problem: the loss at a point; rules that it trusts are skipped.
        reference: the certified gradient there.
        left_out: what iterations leave out of each element, by which a right rule may be off.
    """
    names = [name for name in custom_rules(problem.traced.loss) if name not in problem.trusted]
    if not names:
        return []
    with balls.precision(reference.bits):
        scale = element_scale(problem, reference.gradient)
        plain = _slopes(problem, reference, scale)
        each = {name: _slopes(trusting(problem, name), reference, scale) for name in names}
        # An element contributes to a slope at most twice its size over its scale.
        explained = SAME + 2 * float((left_out / scale).sum())
    return [name for name, slopes in each.items() if _differ(slopes, plain, explained)]


def trusting(problem: Problem, name: str) -> Problem:
    """Return the problem with one more trusted rule."""
    return replace(problem, trusted=problem.trusted | {name})


def _slopes(problem: Problem, reference: Reference, scale: np.ndarray) -> np.ndarray | None:
    """Return the slopes in random directions; None if they cannot be computed."""
    try:
        return slopes_along(problem, equalising(problem, scale), reference.bits)
    except (ArithmeticError, NotImplementedError):
        return None


def _differ(a: np.ndarray | None, b: np.ndarray | None, explained: float) -> bool:
    return a is not None and b is not None and bool((balls.magnitudes(a - b) > explained).any())
