"""`table`, `compare`, `plot` and `document`: commands that read stored results."""

from pathlib import Path

import click

from compare.commands.options import FILE
from handgrad.commands.options import JSON
from handgrad.commands.process import json_text


@click.command(short_help="Print stored results as tables for a document.")
@click.argument("file", type=FILE)
def table(file: Path) -> None:
    """Print the tables of stored results as Markdown."""
    from benchmarks.report.whole import markdown
    from benchmarks.results import Results

    click.echo(markdown(Results.load(file)), nl=False)


@click.command(short_help="Compare two runs: which rows became faster or slower.")
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
@JSON
def compare(before: Path, after: Path, as_json: bool) -> int:
    """Say of every row whether it is better or worse in AFTER, or a tie as far as noise shows.

    Times are compared if both were taken on the same machine with the same versions; else ratios to
    the floor. Ends with 1 if a row is worse, or has become wrong.
    """
    from benchmarks.comparing import WORSE, compare
    from benchmarks.results import Results
    from compare.terminal import console

    found = compare(Results.load(before), Results.load(after))
    if not found.changes:
        raise click.UsageError(f"{before} and {after} have no row in common that has times")
    if as_json:
        click.echo(json_text(found.as_dict()))
    else:
        found.show(console())
    return int(bool(found.of(WORSE) or found.wrong))


@click.command(short_help="Draw stored times over sizes, as SVG.")
@click.argument("file", type=FILE)
@click.argument("folder", type=FILE)
def plot(file: Path, folder: Path) -> None:
    """Draw each case with times of two sizes into FOLDER, which is made if it is not there."""
    from benchmarks.figures import draw
    from benchmarks.results import Results

    if folder.is_file():
        raise click.UsageError(f"{folder} is a file; expected a folder for the figures.")
    try:
        files = draw(Results.load(file), folder)
    except OSError as error:
        raise click.UsageError(f"{folder}: cannot be written: {error.strerror}") from error
    for made in files:
        click.echo(str(made))


@click.command(short_help="Write the documents' tables and figures from stored results.")
def document() -> None:
    """Write the tables of the documents anew, and the figures of docs/benchmarks.md.

    All numbers are taken from benchmarks/results/: cpu.json for docs/benchmarks.md and the README,
    those in checkers/ for others.
    """
    from benchmarks.document import build

    for file in build():
        click.echo(str(file))
