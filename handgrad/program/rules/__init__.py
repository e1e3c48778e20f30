"""What the oracle knows of each operation of JAX: a new operation is one row in one table here."""

from handgrad.program.rule import Rule
from handgrad.program.rules import (
    binary,
    comparison,
    control,
    elementwise,
    linear_algebra,
    scattering,
    special,
    spectral,
    structural,
    summing,
    windows,
)

#: The table by subject.
GROUPS: dict[str, dict[str, Rule]] = {
    "Element by element": elementwise.RULES | binary.RULES | special.RULES,
    "Comparisons and choices": comparison.RULES,
    "Moving elements": structural.RULES | scattering.RULES,
    "Sums and products": summing.RULES,
    "Windows and reductions": windows.RULES,
    "Linear algebra": linear_algebra.RULES | spectral.RULES,
    "Calls, branches and loops": control.RULES,
}

#: The table, by the name of the operation.
RULES: dict[str, Rule] = {name: rule for rules in GROUPS.values() for name, rule in rules.items()}
