"""`compare step`: one forward and backward pass, micro-step by micro-step."""

import sys
from typing import TYPE_CHECKING, Any

import click

from compare.commands.passes import pass_options, traced
from handgrad.commands.options import JSON, option, whole

if TYPE_CHECKING:
    from compare.keys import Keyboard
    from compare.trace import Trace

KEYS = "n next, p back, g go to a step, q quit"

#: The characters that terminals send, by meaning.
FORWARD = ("n", " ", "\r", "\n", "\x1b[C", "\x1bOC", "l")
BACKWARD = ("p", "\x1b[D", "\x1bOD", "h", "\x7f")
FIRST, LAST = ("\x1b[H", "\x1bOH", "\x1b[1~"), ("\x1b[F", "\x1bOF", "\x1b[4~")
QUIT = ("q", "\x04", "")


@click.command(short_help="Step forwards and backwards through one pass.")
@option(
    "--at",
    type=whole(1, 10**9),
    help="Begin with this step; in a pipe and with --json, show this one alone.",
)
@pass_options
@JSON
def step(at: int | None, as_json: bool, **options: Any) -> int:
    """Step through forward pass, loss, backward pass and update of one example.

    On a terminal n and p (or the arrow keys) go forwards and backwards, g goes to a step, q quits.
    In a pipe all steps are printed. Ends with 0 if every number of the pass is right within
    rounding, by hand and by autodiff, else with 1.
    """
    from compare.commands.output import print_object

    trace = traced(options)
    if at is not None and at > len(trace.steps):
        raise click.UsageError(f"--at {at}; expected a number from 1 to {len(trace.steps)}.")
    if as_json:
        print_object(trace.as_object(at))
    elif sys.stdin.isatty() and sys.stdout.isatty():
        _walk(trace, at or 1)
    else:
        _print(trace, at)
    return int(trace.verdict == "disagree")


def _print(trace: "Trace", at: int | None) -> None:
    """Print all steps, or one of them."""
    from compare.terminal import console, show_verdict
    from compare.traced.terminal import show_legend, show_start, show_step

    out = console()
    show_start(out, trace)
    steps = trace.steps if at is None else (trace.steps[at - 1],)
    for one in steps:
        show_step(out, trace, one)
    show_legend(out, [trace.quantities[name] for one in steps for name in one.names])
    if at is None:
        out.print()
        show_verdict(out, trace.verdict, _because(trace))


def _because(trace: "Trace") -> str:
    every = "every number of the pass, by hand and by autodiff"
    wrong = [q.symbol for q in trace.quantities.values() if q.verdict == "disagree"]
    numbers = "number" if len(wrong) == 1 else "numbers"
    return f"{len(wrong)} {numbers} of the pass, first {wrong[0]}" if wrong else every


def _walk(trace: "Trace", at: int) -> None:
    """Show one step at a time, as keys are pressed."""
    from compare.keys import keyboard
    from compare.terminal import console
    from compare.traced.terminal import show_screen

    out, count = console(), len(trace.steps)
    with keyboard() as keys, out.screen(hide_cursor=False):
        while True:
            out.clear()
            show_screen(out, trace, trace.steps[at - 1])
            out.print(KEYS, style="dim", end="")
            key = keys.read()
            key = key.lower() if len(key) == 1 else key
            if key in QUIT:
                return
            at = _prompted_step(keys, at, count) if key == "g" else _next(key, at, count)


def _next(key: str, at: int, count: int) -> int:
    """Return the step that a key leads to: the same one at either end and for other keys."""
    if key in FORWARD:
        return min(at + 1, count)
    if key in BACKWARD:
        return max(at - 1, 1)
    if key in FIRST:
        return 1
    return count if key in LAST else at


def _prompted_step(keys: "Keyboard", at: int, count: int) -> int:
    """Prompt for a step's number; anything but a number keeps the current step."""
    text = keys.line(f"Step, 1 to {count}: ")
    return min(max(int(text), 1), count) if text.isascii() and text.isdigit() else at
