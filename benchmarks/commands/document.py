"""`python -m benchmarks document`: docs/benchmarks.md and a table of the README."""

import click


@click.command(short_help="docs/benchmarks.md and its figures, from benchmarks/results/.")
def document() -> None:
    """Write docs/benchmarks.md, the figures that it shows and the README's table anew.

    All numbers are taken from benchmarks/results/cpu.json.
    """
    from benchmarks.document.build import build

    for file in build():
        click.echo(str(file))
