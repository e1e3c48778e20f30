"""The command line: its commands, exit codes and error messages.

Exit codes: 0 the two sides agree, 1 they disagree, 2 bad input, 70 a mistake in the program (a
traceback says where), 130 interrupted. A mistake in the input is one line on standard error that
says what was found and what was expected.
"""

import os
import sys
import traceback

import click

from compare import interrupts, streams
from compare.commands.break_ import break_
from compare.commands.errata import errata
from compare.commands.explain import explain
from compare.commands.output import Disagreement
from compare.commands.plot import plot
from compare.commands.predict import predict
from compare.commands.prove import prove
from compare.commands.regress import regress
from compare.commands.replay import replay
from compare.commands.resume import resume
from compare.commands.run import run
from compare.commands.step import step
from compare.commands.sweep import sweep
from compare.commands.train import train
from compare.wording import InputError, escaped, unavailable


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Backpropagation by hand (NumPy) held against autodiff (jax.grad under jit).

    Start with: python -m compare run
    """


for command in (
    *(run, explain, step, errata, break_),
    *(sweep, replay, prove),
    *(train, resume, predict, regress, plot),
):
    cli.add_command(command)


def main(command: click.Command = cli, program: str = "python -m compare") -> None:
    """Run a command line and end the process with its exit code."""
    streams.prepare()
    interrupts.listen()
    try:
        # Not click's own main: it ends a closed pipe with 1, which means disagreement here.
        with command.make_context(program, sys.argv[1:]) as context:
            code = command.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as ending:
        code = ending.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        code = 2
    except Disagreement as error:
        click.echo(f"disagree: {error.format_message()}", err=True)
        code = 1
    except InputError as error:
        click.echo(f"Error: {error}.", err=True)
        code = 2
    except click.ClickException as error:
        click.echo(f"Error: {escaped(' '.join(error.format_message().split()))}", err=True)
        code = 2
    except KeyboardInterrupt as interrupt:
        click.echo(f"\nStopped{f' {interrupt}' if str(interrupt) else ''}.", err=True)
        sys.stdout.flush()
        # Exit at once: a compilation still running in another thread can crash the shutdown.
        os._exit(130)
    except BrokenPipeError:
        streams.discard_output()
        code = 0
    except OSError as error:
        click.echo(f"Error: {error}.", err=True)
        code = 2
    except Exception as error:  # a bug, unless a package or a device is missing
        if line := unavailable(error):
            click.echo(f"Error: {line}.", err=True)
            code = 2
        else:
            # Not 1, Python's own code for an exception: a bug in the program is no disagreement.
            traceback.print_exc()
            code = 70
    sys.exit(code or 0)
