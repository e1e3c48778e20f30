"""`compare explain`: one partial derivative as a product of factors, each with its check."""

from dataclasses import asdict
from typing import Any

import click

from compare.commands.options import (
    SEED,
    form_option,
    init_option,
    kind_options,
    learning_rate_option,
    network_option,
    person_option,
)
from handgrad.commands.options import JSON, Number, option, seed_option


class Numbers(click.ParamType):
    """Finite numbers separated by commas: 1,-2.5."""

    name = "1,-2.5"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, ...]:
        """The numbers."""
        number = Number("finite numbers with commas between them, such as 1,-2.5")
        return tuple(number.convert(part.strip(), param, ctx) for part in str(value).split(","))


@click.command(short_help="Show one partial derivative: its factors, numbers and checks.")
@click.argument("parameter")
@person_option(otherwise="alice")
@option("--x", type=Numbers(), help="Inputs of your own, such as 1,-2.5.")
@option("--y", type=Numbers(), help="Targets of your own, one for each output.")
@network_option("the article's 2-2-1", "; at most 200 parameters")
@kind_options()
@init_option(otherwise="ones for the article's network without --seed, else normal")
@seed_option("parameters at random", type=SEED, otherwise="44")
@learning_rate_option(default=0.1)
@form_option(otherwise="stable")
@JSON
def explain(parameter: str, as_json: bool, **options: Any) -> int:
    """Explain ∂L/∂PARAMETER: symbols, numbers in their places, result, and a check of each.

    PARAMETER is one of w1 to w6, b1 to b3; of another network w0[2,1] or b1[0], which may be
    written w0.2.1 and b1.0; or any other quantity of the pass, such as h1, ypred or L. Ends with 0
    if every number that is shown is right within rounding, by hand and by autodiff, else with 1.
    """
    from compare.commands.output import print_object
    from compare.terminal import console, waiting
    from compare.traced.request import PassRequest, named
    from compare.traced.terminal import show_explanation

    with waiting("One pass, and what three witnesses say of every number"):
        trace = PassRequest(**options).trace()
    name = named(trace, parameter)
    chain = trace.before(name)
    verdict = "disagree" if any(q.verdict == "disagree" for q in chain) else "agree"
    if as_json:
        explained = {"quantity": asdict(trace.quantities[name]), "chain": [*map(asdict, chain)]}
        print_object({"about": trace.about, **explained, "verdict": verdict})
    else:
        show_explanation(console(), trace, name)
    return int(verdict == "disagree")
