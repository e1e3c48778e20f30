"""How every command ends: `python -m compare`, `benchmarks` and `study`.

0 all is well, 1 the program's own bad news, 2 bad input, 70 a mistake in the program (a traceback
says where), 130 interrupted. What is wrong with the input is one line on standard error that says
what was found and what was expected.
"""

import errno
import sys
from collections.abc import Mapping
from importlib import import_module

from handgrad.commands import process

#: What a program says of its own errors, {} being the message, and the exit code.
Endings = Mapping[type[Exception], tuple[str, int]]


def run(room: str) -> None:
    """Run a room's command line, `cli` in its module `cli`, and end with its exit code.

    What it says of its own errors is `ENDINGS` of that module, if it has some.
    """
    own: Endings = {}
    with process.prepared():
        try:
            module = import_module(f"{room}.cli")
            own = getattr(module, "ENDINGS", own)
            # Not click's own main: it ends a closed pipe with 1, which means bad news here.
            with module.cli.make_context(f"python -m {room}", sys.argv[1:]) as context:
                code = module.cli.invoke(context)
            sys.stdout.flush()
        except Exception as error:  # also a bug: whatever it is, it has a line and an exit code
            if process.is_broken_pipe(error):  # `prepared` ends it
                raise
            line, code = _told(error, own)
            if line:
                process.say(line)
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
