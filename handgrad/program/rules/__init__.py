"""The rules of JAX's operations in ball arithmetic: a new operation is one row in a table here."""

from handgrad.program.rule import Rule
from handgrad.program.rules import (
    binary,
    comparison,
    complex_wholes,
    control,
    elementwise,
    jacobians,
    linear_algebra,
    scattering,
    sharding,
    special,
    spectral,
    structural,
    summing,
    windows,
)

#: The rules by subject.
GROUPS: dict[str, dict[str, Rule]] = {
    "Element by element": elementwise.RULES | binary.RULES | special.RULES,
    "Comparisons and choices": comparison.RULES,
    "Moving elements": structural.RULES | scattering.RULES,
    "Sums and products": summing.RULES,
    "Windows and reductions": windows.RULES,
    "Linear algebra": linear_algebra.RULES | spectral.RULES,
    "Complex numbers": complex_wholes.RULES,
    "Calls, branches and loops": control.RULES | jacobians.RULES,
    "Several devices": sharding.RULES,
}

#: The rules by the name of the operation.
RULES: dict[str, Rule] = {name: rule for rules in GROUPS.values() for name, rule in rules.items()}
