"""The command line: its commands, its exit codes and its error messages.

Exit codes: 0 the gradient is right (or right but losing digits, with a warning), 1 it is wrong, 2
bad input, 3 undecidable, 130 interrupted. A mistake in the input is reported in one line on
standard error that says what was found and what was expected; an error in the caller's code is
reported with the caller's own frames.
"""

import io
import os
import sys

import click

from handgrad.commands.check import BadInput, check


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Is this hand-written gradient right?

    Start with: handgrad check FILE.py:gradient --loss loss --like example
    """


cli.add_command(check)


def main() -> None:
    """Run the command line and end the process with its exit code."""
    # A stream that the caller has closed is None; these are closed with the process.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets "?" for it, not a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.exit(_run(sys.argv[1:]))


def _run(words: list[str]) -> int:
    try:
        # Not click's own main: on a closed pipe it exits with 1, which here means a wrong gradient.
        with cli.make_context("handgrad", words) as context:
            code = cli.invoke(context)
        sys.stdout.flush()
        return code
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except KeyboardInterrupt:
        click.echo("\nStopped.", err=True)
        return 130
    except BrokenPipeError:
        # The reader closed the pipe; flushing the rest at exit must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _complain(error)


def _complain(error: Exception) -> int:
    """Print what was wrong with the input, and return exit code 2."""
    from handgrad.commands.complaints import about, theirs
    from handgrad.commands.loading import LoadingError

    details: tuple[str, ...] | list[str] = ()
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return 2
    if isinstance(error, BadInput):
        line, details = error.message, error.details
    elif isinstance(error, click.ClickException):
        line = " ".join(error.format_message().split())
    elif isinstance(error, LoadingError):
        line = str(error)
        details = theirs(error.__cause__) if error.__cause__ else ()
    else:
        line, *details = about(error, {})
    if not line.isprintable():  # what was typed is quoted in it
        line = repr(line)[1:-1]
    click.echo("\n".join([f"Error: {line}", *details]), err=True)
    return 2
