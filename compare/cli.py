"""The command line and its commands.

Exit codes: 0 the two sides agree, 1 they disagree; the others are in `compare.exit_codes`.
"""

import click

from compare import exit_codes
from compare.commands.break_ import break_
from compare.commands.errata import errata
from compare.commands.explain import explain
from compare.commands.plot import plot
from compare.commands.prove import prove
from compare.commands.regress import regress
from compare.commands.run import run
from compare.commands.sweep import sweep
from compare.commands.train import train
from compare.wording import Disagreement
from handgrad.commands.options import SETTINGS, version_option


@click.group(context_settings=SETTINGS)
@version_option("compare")
def cli() -> None:
    """Backpropagation by hand (NumPy) held against autodiff (jax.grad under jit).

    Start with: python -m compare run
    """


for command in (run, explain, errata, break_, sweep, prove, train, regress, plot):
    cli.add_command(command)


def main() -> None:
    """Run the command line and end the process with its exit code."""
    exit_codes.run(cli, "python -m compare", {Disagreement: ("disagree: {}.", 1)})
