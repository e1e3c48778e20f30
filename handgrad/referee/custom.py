"""Custom derivative rules of JAX, held to account: is each the derivative of its function?

The referee differentiates the functions themselves. Taking one rule at its word and getting another
gradient shows that this rule is not what it stands for.
"""

from dataclasses import replace

import numpy as np

from handgrad.referee import balls
from handgrad.referee.evaluate import Problem
from handgrad.referee.holding import slopes_along
from handgrad.referee.kinks import UndecidableKinkError
from handgrad.referee.program import custom_rules
from handgrad.referee.truth import Truth, UndecidableError, element_scale

#: Two slopes that differ by more, relative to their terms, are two: both are known to 80 bits.
SAME = 2.0**-60


def broken_rules(problem: Problem, truth: Truth) -> list[str]:
    """The functions whose custom rule is not their derivative, by name, in the order of their use.

    Args:
        problem: the loss at a point; rules that it trusts are passed over.
        truth: its certified gradient.
    """
    names = [name for name in custom_rules(problem.traced.loss) if name not in problem.trusted]
    with balls.precision(truth.bits):
        scale = element_scale(problem, truth.gradient)
        plain = slopes_along(problem, scale, truth.bits)
        return [name for name in names if _differs(problem, name, truth.bits, scale, plain)]


def _differs(problem: Problem, name: str, bits: int, scale: np.ndarray, plain: np.ndarray) -> bool:
    trusting = replace(problem, trusted=problem.trusted | {name})
    try:
        slopes = slopes_along(trusting, scale, bits)
        return bool((balls.magnitudes(slopes - plain) > SAME).any())
    except (UndecidableError, UndecidableKinkError, NotImplementedError):
        return False
