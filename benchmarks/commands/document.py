"""`python -m benchmarks document`: docs/benchmarks.md and tables of other documents."""

import click


@click.command(short_help="Write docs/benchmarks.md, figures and tables from stored results.")
def document() -> None:
    """Write docs/benchmarks.md, the figures that it shows, and tables of other documents anew.

    All numbers are taken from benchmarks/results/: cpu.json, checkers.json and check_times.json, of
    which the last two are for the tables of docs/checking.md and the README.
    """
    from benchmarks.document.build import build

    for file in build():
        click.echo(str(file))
