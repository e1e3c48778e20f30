"""`compare prove`: prove the hand-written gradient right for all real numbers."""

import time
from typing import TYPE_CHECKING, Any

import click

from compare.commands.options import JSON, Name, Number, Sizes
from compare.commands.passes import kind_options

if TYPE_CHECKING:
    from compare.proof.result import Result


def _examples(text: str) -> int:
    """Parse the number of examples: a power of two, so that 1/n is exact."""
    if (number := int(text)) not in (1, 2, 4):
        raise ValueError
    return number


@click.command(short_help="The gradient by hand is the derivative, for all real numbers.")
@click.option("--network", "sizes", type=Sizes(), help="Small: 2-2-1 unless given, 3-3-2, 2-2-2-1.")
@kind_options
@click.option(
    "--sigmoid-derivative",
    type=Name("stable", "article"),
    help="Of the article's network, σ' as σ(z)σ(-z), or as f(1 - f); stable unless given.",
)
@click.option(
    "--examples",
    type=Number("one of 1, 2, 4", convert=_examples),
    metavar="1|2|4",
    help="Whose mean loss is differentiated; 2 where that is small, else 1.",
)
@click.option("--plant", help="A mistake in the article's gradient: a SLUG that break lists.")
@click.option("--latex", "as_latex", is_flag=True, help="Print equations in LaTeX, one a line.")
@JSON
def prove(as_latex: bool, as_json: bool, **options: Any) -> int:
    """Prove that every partial derivative by hand is that of the loss.

    The hand-written lines run on symbols, the loss is differentiated, and the difference must be
    identically 0, for all real weights, inputs and targets, in each case of signs. Ends with 0 if
    all is proved, else with 1: refuted at a rational point, or undecided.
    """
    from compare.commands.output import print_object
    from compare.proof.reading import latex_of

    if as_latex and as_json:
        raise click.UsageError("--latex beside --json, which has the formulas; expected one.")
    begin = time.perf_counter()
    found = _proved(options)
    if as_json:
        print_object(found.as_object() | {"seconds": time.perf_counter() - begin})
    elif as_latex:
        click.echo("\n".join(latex_of(found)))
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
