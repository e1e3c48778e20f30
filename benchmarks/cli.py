"""The command line of the measurements, `python -m benchmarks`.

Exit codes: 0 measured, 1 an answer was wrong or a row became worse, 70 the harness itself failed;
the others are in `compare.exit_codes`. What was measured until then is stored.
"""

from typing import Any

import click

from benchmarks.commands.checkers import checkers
from benchmarks.commands.read import compare, document, plot, table
from benchmarks.commands.shared import ENDINGS
from benchmarks.commands.time import options, timed
from compare import exit_codes
from handgrad.commands.options import SETTINGS, version_option


@click.group(
    invoke_without_command=True,
    context_settings=SETTINGS,
    epilog="Without a command the gradients are timed, as the options say.",
)
@options
@version_option("benchmarks")
@click.pass_context
def cli(context: click.Context, **given: Any) -> int:
    """Time one loss and its gradient, by hand and by autodiff, against the floor."""
    return timed(**given) if context.invoked_subcommand is None else 0


for command in (table, compare, plot, document, checkers):
    cli.add_command(command)


def main() -> None:
    """Run the command line and end the process with its exit code."""
    exit_codes.run(cli, "python -m benchmarks", ENDINGS)
