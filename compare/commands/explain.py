"""`compare explain`: one partial derivative as a product of factors, each with its check."""

from dataclasses import asdict
from typing import Any

import click

from compare.commands.passes import pass_options, traced
from handgrad.commands.options import JSON


@click.command(short_help="Show one partial derivative: its factors, numbers and checks.")
@click.argument("parameter")
@pass_options
@JSON
def explain(parameter: str, as_json: bool, **options: Any) -> int:
    """Explain ∂L/∂PARAMETER: symbols, numbers in their places, result, and a check of each.

    PARAMETER is one of w1 to w6, b1 to b3; of another network w0[2,1] or b1[0], which may be
    written w0.2.1 and b1.0; or any other quantity of the pass, such as h1, ypred or L. Ends with 0
    if every number that is shown is right within rounding, by hand and by autodiff, else with 1.
    """
    from compare.commands.output import print_object
    from compare.terminal import console
    from compare.traced.request import named
    from compare.traced.terminal import show_explanation

    trace = traced(options)
    name = named(trace, parameter)
    chain = trace.before(name)
    verdict = "disagree" if any(q.verdict == "disagree" for q in chain) else "agree"
    if as_json:
        explained = {"quantity": asdict(trace.quantities[name]), "chain": [*map(asdict, chain)]}
        print_object({"about": trace.about, **explained, "verdict": verdict})
    else:
        show_explanation(console(), trace, name)
    return int(verdict == "disagree")
