"""One rule for each primitive operation of JAX that the referee can certify."""

from handgrad.referee.interpreter import Rule
from handgrad.referee.rules import (
    comparing,
    control,
    elementwise,
    linear_algebra,
    moving,
    scattering,
    special,
    spectral,
    summing,
    two_numbers,
    windows,
)

#: The table by subject.
GROUPS: dict[str, dict[str, Rule]] = {
    "Element by element": elementwise.RULES | two_numbers.RULES | special.RULES,
    "Comparisons and choices": comparing.RULES,
    "Moving elements": moving.RULES | scattering.RULES,
    "Sums and products": summing.RULES,
    "Windows and reductions": windows.RULES,
    "Linear algebra": linear_algebra.RULES | spectral.RULES,
    "Calls, branches and loops": control.RULES,
}

#: The table, by the name of the operation.
RULES: dict[str, Rule] = {name: rule for rules in GROUPS.values() for name, rule in rules.items()}
