"""Single keys from a terminal, as they are pressed."""

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

#: Seconds within which the rest of an escape sequence follows its first byte.
SEQUENCE = 0.05


class Keyboard:
    """Keys one at a time; nothing that is pressed in between is lost."""

    def read(self) -> str:
        """The next key: a character, or what the terminal sends for an arrow; "" at the end."""
        handle = sys.stdin.fileno()
        key = os.read(handle, 1)
        while key[:1] == b"\x1b" and select.select([handle], [], [], SEQUENCE)[0]:
            key += os.read(handle, 1)
            # ESC O and ESC [ begin a sequence; any other letter, or ~, ends it.
            if key != b"\x1bO" and (key[-1:].isalpha() or key[-1:] == b"~"):
                break
        return key.decode(errors="replace")

    def line(self, prompt: str) -> str:
        """A whole line, typed as usual; "" where it is given up with Esc or Ctrl-D."""
        click.echo(prompt, nl=False)
        typed = ""
        while (key := self.read()) not in ("\r", "\n", ""):
            if key in ("\x1b", "\x04"):
                return ""
            if key in ("\x7f", "\b"):
                click.echo("\b \b" * bool(typed), nl=False)
                typed = typed[:-1]
            elif len(key) == 1 and key.isprintable():
                click.echo(key, nl=False)
                typed += key
        return typed


class ByClick(Keyboard):
    """Where there are no POSIX terminals: click knows how."""

    def read(self) -> str:
        """See `Keyboard`."""
        return click.getchar()


@contextmanager
def keyboard() -> Iterator[Keyboard]:
    """The keyboard, for as long as keys are read; the terminal is then as it was."""
    try:
        import termios
        import tty
    except ImportError:
        yield ByClick()
        return
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    try:
        # Not raw: Ctrl-C stays what it is everywhere.
        tty.setcbreak(handle, termios.TCSADRAIN)
        yield Keyboard()
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, before)
