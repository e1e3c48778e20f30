"""`python -m benchmarks document`: the tables and figures of documents."""

import click


@click.command(short_help="Write the documents' tables and figures from stored results.")
def document() -> None:
    """Write the tables of the documents anew, and the figures of docs/benchmarks.md.

    All numbers are taken from benchmarks/results/: cpu.json for docs/benchmarks.md and the README,
    those in checkers/ for others.
    """
    from benchmarks.document import build

    for file in build():
        click.echo(str(file))
