"""`compare replay`: run one case of a sweep again, with the judge's report and a trace."""

from typing import TYPE_CHECKING, Any

import click

from compare.commands.sweeps import MOST_CASES, settings, sweep_options
from handgrad.commands.options import JSON, option, whole

if TYPE_CHECKING:
    from compare.sweep.replay import Case
    from compare.trace import Trace
    from handgrad import GradientReport


@click.command(short_help="Run one case of a sweep again, and look at it closely.")
@option(
    "--case",
    "number",
    type=whole(0, MOST_CASES),
    required=True,
    help="The case's number, as sweep gives it.",
)
@sweep_options
@JSON
def replay(number: int, as_json: bool, **options: Any) -> int:
    """Rebuild a case from the options of the sweep, and look at it closely.

    handgrad's judge rules on the gradient by hand, or on the planted mistake; the trace has every
    link of the right derivation with three witnesses, in float64. Ends with 0 if the gradient is
    right, else with 1.
    """
    from compare.commands.output import print_object
    from compare.sweep.replay import case
    from compare.terminal import waiting

    with waiting("The case again, before the judge and link by link"):
        found = case(settings(options), number)
        report, trace = found.ruling(), found.trace()
    if as_json:
        print_object(
            {"case": number, "params": found.named(), "inputs": found.inputs()}
            | {"ruling": report.to_dict(), "trace": trace.as_object()}
        )
    else:
        _show(found, report, trace)
    return int(not report.passes)


def _show(found: "Case", report: "GradientReport", trace: "Trace") -> None:
    from compare.terminal import console, number, show_verdict, table
    from compare.traced.terminal import show_legend, show_start, show_step

    out = console()
    rows = table("", "")
    for name, value in found.named().items():
        rows.add_row(name, number(value, 17))
    for name, values in found.inputs().items():
        rows.add_row(name, f" {values}")
    out.print(rows)
    out.print(f"\nhandgrad's judge:\n\n{report}\n")
    show_start(out, trace)
    for step in trace.steps:
        show_step(out, trace, step)
    show_legend(out, [trace.quantities[name] for step in trace.steps for name in step.names])
    out.print()
    show_verdict(out, report.verdict, report.headline.partition(": ")[2] or "the judge's ruling")
