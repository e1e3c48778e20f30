"""`compare prove`: prove the hand-written gradient right for all real numbers."""

import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from compare.commands.options import PLANT, form_option, kind_options, network_option
from handgrad.commands.options import JSON, Number, option, whole_number

if TYPE_CHECKING:
    from compare.proof.result import Result


def _examples(text: str) -> Decimal:
    """Parse the number of examples: a power of two, so that 1/n is exact."""
    if (number := whole_number(text)) not in (1, 2, 4):
        raise ValueError
    return number


@click.command(short_help="Prove the gradient by hand right for all real numbers.")
@network_option("2-2-1", "; few, such as 3-3-2 or 2-2-2-1")
@kind_options()
@form_option(otherwise="stable")
@option(
    "--examples",
    type=Number("one of 1, 2, 4", convert=_examples),
    metavar="1|2|4",
    help="How many examples the loss is the mean of.",
    otherwise="2 where the formulas stay small, else 1",
)
@PLANT
@JSON
def prove(as_json: bool, **options: Any) -> int:
    """Prove that every partial derivative by hand is that of the loss.

    The hand-written lines run on symbols, the loss is differentiated, and the difference must be
    identically 0, for all real weights, inputs and targets, in each case of signs. Ends with 0 if
    all is proved, else with 1: refuted at a rational point, or undecided.
    """
    from compare.commands.output import print_object

    begin = time.perf_counter()
    found = _proved(options)
    if as_json:
        print_object(found.as_object() | {"seconds": time.perf_counter() - begin})
    else:
        _show(found)
    return int(found.verdict != "proved")


def _proved(options: dict[str, Any]) -> "Result":
    from compare.proof.request import ProofRequest
    from compare.proof.result import result
    from compare.terminal import progress

    request = ProofRequest(**options)
    subject = request.subject()
    with progress(len(subject.parameters), "partial derivatives") as advance:
        return result(request, subject, advance)


def _show(found: "Result") -> None:
    from compare.proof.reading import closing, lines_of
    from compare.terminal import console, show_verdict
    from models.planted import PLANTS

    out = console()
    if (slug := found.request.slug) is not None:
        out.print(f"{slug}: {PLANTS[slug].says}.\n")
    for line in lines_of(found):
        out.print(line, soft_wrap=True)  # formulas are not broken
    show_verdict(out, *closing(found))
