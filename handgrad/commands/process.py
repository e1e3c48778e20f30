"""What every command's process needs: streams that can be written to, and a Ctrl-C that ends it.

Libraries drop the exception of a Ctrl-C in their callbacks, and some of JAX's modules crash, or go
on without it, where it ends an import.
"""

import _thread
import errno
import io
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import PurePath
from types import FrameType
from typing import TYPE_CHECKING, Any

from handgrad.data.harmless import CONTROLS, harmless

if TYPE_CHECKING:
    import click

#: What Python calls the file of the functions that import, and how the names of files begin that
#: are neither ours nor the caller's.
_IMPORTING = "<frozen importlib._bootstrap>"
_LIBRARIES = ("<", *map(os.path.normcase, (sys.prefix, sys.base_prefix)))

#: Seconds until an exception that was dropped is raised again: by then the callback has ended.
_AGAIN = 0.01


@contextmanager
def prepared() -> Iterator[None]:
    """End the process with 130 on Ctrl-C, and with 0 where the reader of its output is gone."""
    try:
        _prepare_streams()
        # A shell's background jobs ignore Ctrl-C, which is left so; a thread may set no handler.
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            with suppress(ValueError):
                signal.signal(signal.SIGINT, _on_signal)
                sys.unraisablehook = _on_dropped
        yield
    except KeyboardInterrupt as interrupt:
        _stop(str(interrupt))
    except OSError as error:
        if not is_broken_pipe(error):
            raise
        sys.exit(0)
    finally:
        try:
            sys.stdout.flush()
        except OSError:
            # The reader is gone or the disk is full, which has been said. Python would try again to
            # write what is still buffered, and end with 120.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def is_broken_pipe(error: BaseException) -> bool:
    """Tell whether the reader of the output is gone; Windows calls that an invalid argument."""
    if sys.platform == "win32" and isinstance(error, OSError):
        return error.errno in (errno.EPIPE, errno.EINVAL) and error.filename is None
    return isinstance(error, BrokenPipeError)


def json_text(value: Any) -> str:
    """Return a value as JSON that standard output can show: all in ASCII, if it is not Unicode."""
    import json

    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    is_unicode = encoding.lower().startswith("utf")
    text = json.dumps(value, ensure_ascii=not is_unicode, allow_nan=False)
    return CONTROLS.sub(lambda found: json.dumps(found[0])[1:-1], text)


def started() -> list[str]:
    """Return the words that start `handgrad` from here as it was started."""
    script = PurePath(sys.argv[0])
    if script.stem != "handgrad":  # `python -m handgrad`
        return [_from_here(PurePath(sys.executable)), "-m", "handgrad"]
    found = PurePath(shutil.which("handgrad") or os.devnull)
    by_name = found.with_suffix("") == script  # started without its .exe
    return ["handgrad" if by_name else _from_here(script)]


def _from_here(path: PurePath) -> str:
    with suppress(ValueError, OSError):  # it is elsewhere; this folder is removed
        return str(path.relative_to(os.getcwd()))
    return str(path)


def command_line(words: Sequence[str]) -> str:
    """Return words as they are typed into the shell of the system."""
    import shlex

    if sys.platform == "win32":
        from subprocess import list2cmdline

        return list2cmdline(words)
    return shlex.join(words)


def refusal(error: "click.ClickException") -> str:
    """Return in one line why click refuses, and where to read on if that does not say enough."""
    line = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    if context and not any(hint in line for hint in ("; expected ", "id you mean ")):
        line = f"{line.removesuffix('.')}. See {context.command_path} --help."
    return line


def say(line: str) -> None:
    """Print a line on standard error, if anybody can read it; the exit code says enough."""
    try:
        print(harmless(line), file=sys.stderr, flush=True)
    except OSError:  # a pipe whose reader is gone, a full disk
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _stop(when: str = "") -> None:
    """End the process as interrupted."""
    say(f"\nStopped{f' {when}' if when else ''}.")
    # The reader may be gone, or printing be what was interrupted.
    with suppress(OSError, RuntimeError):
        sys.stdout.flush()
    # Exit at once: a compilation still running in another thread can crash the shutdown.
    os._exit(130)


def _prepare_streams() -> None:
    """Make the standard streams usable, whatever the caller has made of them."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # Closed. The lowest free number is taken, which other files would get otherwise.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    # A stream that the caller has closed is None; these are closed with the process.
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a sign gets a "?" for it, not a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (as handlers are called)
    """Raise KeyboardInterrupt as Python does, but end at once while a library is imported."""
    while frame is not None and os.path.normcase(frame.f_code.co_filename).startswith(_LIBRARIES):
        if frame.f_code.co_filename == _IMPORTING:
            _stop()
        frame = frame.f_back
    raise KeyboardInterrupt


def _on_dropped(dropped: Any) -> None:
    """Print nothing of a KeyboardInterrupt that was dropped, and raise it again."""
    if not issubclass(dropped.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(dropped)
        return
    # `threading` would wait here for the thread's start, into which the interrupt came on a busy
    # machine, to be dropped for good.
    _thread.start_new_thread(_interrupt_again, ())


def _interrupt_again() -> None:
    time.sleep(_AGAIN)
    _thread.interrupt_main()
