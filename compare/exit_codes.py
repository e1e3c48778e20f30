"""How every command ends: `python -m compare`, `benchmarks` and `study`.

0 all is well, 1 the program's own bad news, 2 bad input, 70 a mistake in the program (a traceback
says where), 130 interrupted. What is wrong with the input is one line on standard error that says
what was found and what was expected.
"""

import errno
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from handgrad.commands import process

if TYPE_CHECKING:
    import click

#: What a program says of its own errors, {} being the message, and the exit code.
Endings = Mapping[type[Exception], tuple[str, int]]


@contextmanager
def ending(own: Endings | None = None) -> Iterator[None]:
    """End the process if what is inside raises, imports included; `own` is looked up first."""
    with process.prepared():
        try:
            yield
        except Exception as error:  # also a bug: whatever it is, it has a line and an exit code
            if process.is_broken_pipe(error):  # `prepared` ends it
                raise
            line, code = _told(error, own or {})
            if line:
                process.say(line)
            sys.exit(code)


def run(command: "click.Command", program: str, own: Endings | None = None) -> None:
    """Run a command line, and end the process with its exit code."""
    with ending(own):
        # Not click's own main: it ends a closed pipe with 1, which means bad news here.
        with command.make_context(program, sys.argv[1:]) as context:
            code = command.invoke(context)
        sys.stdout.flush()
        sys.exit(code or 0)


def _told(error: Exception, own: Endings) -> tuple[str, int]:
    """Return what to say of an error, and the exit code."""
    from compare.wording import InputError, escaped, unavailable

    if isinstance(error, ImportError):  # click may be what is missing
        return f"Error: {unavailable(error)}.", 2
    import click

    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        own = {}  # the program cannot help it that its output has no room
    for kind, (says, code) in own.items():
        if isinstance(error, kind):
            return escaped(says.format(error)), code
    if isinstance(error, click.exceptions.Exit):
        return "", error.exit_code
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message(), 2
    if isinstance(error, click.ClickException):
        return f"Error: {escaped(process.refusal(error))}", 2
    if isinstance(error, InputError | OSError):
        return f"Error: {error}.", 2
    if line := unavailable(error):
        return f"Error: {line}.", 2
    import traceback

    # Not 1, Python's own code for an exception: a bug in the program is no bad news.
    return traceback.format_exc().rstrip("\n"), 70
