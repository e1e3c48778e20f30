"""One rule for each primitive operation of JAX that the referee can certify."""

from handgrad.referee.interpreter import Rule
from handgrad.referee.rules import comparing, control, elementwise, linear_algebra, moving, summing

#: The table, by the name of the operation.
RULES: dict[str, Rule] = {
    **elementwise.RULES,
    **comparing.RULES,
    **moving.RULES,
    **summing.RULES,
    **linear_algebra.RULES,
    **control.RULES,
}
