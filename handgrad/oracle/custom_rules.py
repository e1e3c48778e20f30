"""Custom derivative rules of JAX, held to account: is each the derivative of its function?

The referee differentiates the functions themselves. Taking one rule at its word and getting another
gradient shows that this rule is not what it stands for.
"""

from dataclasses import replace

import numpy as np

from handgrad.arithmetic import balls
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.random_directions import slopes_along
from handgrad.oracle.reference import Reference, element_scale
from handgrad.program.trace import custom_rules

#: Two slopes that differ by more, relative to their terms, are two: both are known to 80 bits.
SAME = 2.0**-60


def broken_rules(problem: Problem, reference: Reference) -> list[str]:
    """The functions whose custom rule is not their derivative, by name, in the order of their use.

    Args:
        problem: the loss at a point; rules that it trusts are passed over.
        truth: its certified gradient.
    """
    names = [name for name in custom_rules(problem.traced.loss) if name not in problem.trusted]
    if not names:
        return []
    with balls.precision(reference.bits):
        scale = element_scale(problem, reference.gradient)
        plain = _slopes(problem, reference, scale)
        each = {name: _slopes(trusting(problem, name), reference, scale) for name in names}
    return [name for name, slopes in each.items() if _differ(slopes, plain)]


def trusting(problem: Problem, name: str) -> Problem:
    """The problem with one more rule taken at its word."""
    return replace(problem, trusted=problem.trusted | {name})


def _slopes(problem: Problem, reference: Reference, scale: np.ndarray) -> np.ndarray | None:
    """Slopes in random directions; None where they cannot be told."""
    try:
        return slopes_along(problem, scale, reference.bits)
    except (ArithmeticError, NotImplementedError):
        return None


def _differ(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    return a is not None and b is not None and bool((balls.magnitudes(a - b) > SAME).any())
