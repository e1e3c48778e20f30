"""The command line: its commands, its exit codes and its error messages.

Exit codes: 0 the gradient is right (or right but losing digits, with a warning), 1 it is wrong, 2
bad input, 3 undecidable, 130 interrupted. A mistake in the input is reported in one line on
standard error that says what was found and what was expected; an error in the caller's code is
reported with the caller's own frames.
"""

import sys

import click

from handgrad.commands import process
from handgrad.commands.check import check
from handgrad.commands.options import SETTINGS, version_option
from handgrad.commands.targets import BadInput
from handgrad.data.attempts import PASSED


@click.group(context_settings=SETTINGS)
@version_option()
def cli() -> None:
    """Is this hand-written gradient right?

    Start with: handgrad check FILE.py:gradient --loss loss --like example
    """


cli.add_command(check)


def main() -> None:
    """Run the command line and end the process with its exit code."""
    with process.prepared():
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
    except PASSED:
        raise
    except BaseException as error:  # also what would end the process with 0, as if all were right
        if process.is_broken_pipe(error):  # `prepared` ends it
            raise
        return _complain(error)


def _complain(error: BaseException) -> int:
    """Print what was wrong with the input, and return exit code 2."""
    from handgrad.commands.complaints import about, theirs
    from handgrad.commands.loading import LoadingError

    details: tuple[str, ...] | list[str] = ()
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        process.say(error.format_message())
        return 2
    if isinstance(error, BadInput):
        line, details = error.message, error.details
    elif isinstance(error, click.ClickException):
        line = process.refusal(error)
    elif isinstance(error, LoadingError):
        line = str(error)
        details = theirs(error.__cause__) if error.__cause__ else ()
    elif isinstance(error, OSError):  # a full disk: what the caller's code raises comes as BadInput
        line = str(error)
    else:
        line, *details = about(error, {})
    if not line.isprintable():  # what was typed is quoted in it
        line = repr(line)[1:-1]
    process.say("\n".join([f"Error: {line}", *details]))
    return 2
