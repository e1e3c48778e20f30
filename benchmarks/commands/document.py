"""`python -m benchmarks document`: docs/benchmarks.md and tables of other documents."""

import click


@click.command(short_help="Write docs/benchmarks.md, figures and tables from stored results.")
def document() -> None:
    """Write docs/benchmarks.md, the figures that it shows, and tables of other documents anew.

    All numbers are taken from benchmarks/results/: cpu.json, checkers.json, checkers_torch.json,
    checkers_derivatives.json and check_times.json, of which all but the first are for tables of
    other documents.
    """
    from benchmarks.document.build import build

    for file in build():
        click.echo(str(file))
