"""`python -m benchmarks document`: docs/benchmarks.md and a table of the README."""

import click


@click.command(short_help="docs/benchmarks.md and its figures, from benchmarks/results/.")
def document() -> None:
    """Write docs/benchmarks.md, the figures that it shows and the README's table anew.

    All numbers are taken from benchmarks/results/cpu.json.
    """
    from benchmarks.document.build import build
    from benchmarks.document.queries import UnknownError
    from benchmarks.figures import CannotDrawError

    try:
        written = build()
    except (UnknownError, CannotDrawError) as error:
        raise click.UsageError(str(error)) from error
    for file in written:
        click.echo(str(file))
