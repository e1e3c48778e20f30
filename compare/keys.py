"""Read single keys from a terminal."""

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

#: Seconds within which the rest of an escape sequence follows its first byte.
SEQUENCE = 0.05


class Keyboard:
    """A reader of single keys, which loses none pressed in between."""

    def read(self) -> str:
        """Return the next key, a character or an arrow's escape sequence; "" at end of input."""
        handle = sys.stdin.fileno()
        key = os.read(handle, 1)
        while key[:1] == b"\x1b" and select.select([handle], [], [], SEQUENCE)[0]:
            key += os.read(handle, 1)
            # ESC O and ESC [ begin a sequence; any other letter, or ~, ends it.
            if key != b"\x1bO" and (key[-1:].isalpha() or key[-1:] == b"~"):
                break
        return key.decode(errors="replace")

    def line(self, prompt: str) -> str:
        """Read a whole line with echo; "" if cancelled with Esc or Ctrl-D."""
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
    """A keyboard for systems without POSIX terminals, by click."""

    def read(self) -> str:
        """See `Keyboard`."""
        return click.getchar()


@contextmanager
def keyboard() -> Iterator[Keyboard]:
    """Yield the keyboard; the terminal's mode is restored afterwards."""
    try:
        import termios
        import tty
    except ImportError:
        yield ByClick()
        return
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    try:
        # Not raw mode: Ctrl-C keeps its meaning.
        tty.setcbreak(handle, termios.TCSADRAIN)
        yield Keyboard()
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, before)
