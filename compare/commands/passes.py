"""The options that select a pass through a network, shared by `explain`, `step` and the page."""

from typing import TYPE_CHECKING, Any

import click

from compare.commands.options import (
    SEED,
    file_option,
    form_option,
    init_option,
    kind_options,
    learning_rate_option,
    network_option,
    person_option,
    together,
)
from handgrad.commands.options import Number, option, seed_option

if TYPE_CHECKING:
    from compare.trace import Trace


class Numbers(click.ParamType):
    """Finite numbers separated by commas: 1,-2.5."""

    name = "1,-2.5"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, ...]:
        """The numbers."""
        number = Number("finite numbers with commas between them, such as 1,-2.5")
        return tuple(number.convert(part.strip(), param, ctx) for part in str(value).split(","))


#: The options of a pass: the fields of `compare.traced.request.PassRequest`.
pass_options = together(
    person_option(otherwise="alice"),
    option("--x", type=Numbers(), help="Inputs of your own, such as 1,-2.5."),
    option("--y", type=Numbers(), help="Targets of your own, one for each output."),
    file_option("--params", "A JSON file with parameters; see docs/teaching.md."),
    file_option("--model", "A model that train has written; --x is in its features' units."),
    network_option("the article's 2-2-1", "; at most 200 parameters"),
    kind_options(),
    init_option(otherwise="ones for the article's network without --seed, else normal"),
    seed_option("parameters at random", type=SEED, otherwise="44"),
    learning_rate_option(default=0.1),
    form_option(otherwise="stable"),
)


def traced(options: dict[str, Any]) -> "Trace":
    """Compute the trace that the options describe.

    Raises:
        InputError: they do not go together, or the numbers do not fit.
    """
    from compare.terminal import waiting
    from compare.traced.request import PassRequest

    with waiting("One pass, and what three witnesses say of every number"):
        return PassRequest(**options).trace()
