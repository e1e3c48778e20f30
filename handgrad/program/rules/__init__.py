"""One rule for each primitive operation of JAX that the referee can certify."""

from handgrad.program.interpreter import Rule
from handgrad.program.rules import (
    binary as two_numbers,
)
from handgrad.program.rules import (
    comparison as comparing,
)
from handgrad.program.rules import (
    control,
    elementwise,
    linear_algebra,
    scattering,
    special,
    spectral,
    summing,
    windows,
)
from handgrad.program.rules import (
    structural as moving,
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
