"""Timings as data, and how they read."""

from dataclasses import dataclass
from typing import Any

from handgrad.data.numerals import plural, short
from handgrad.judging.judgement import as_json
from handgrad.render import Document, Renderable, Table
from handgrad.speed.rounds import Ratio, Rival

#: Units of time (below how many seconds, factor, unit), for at most three digits before the point.
UNITS = ((1e-6, 1e9, "ns"), (1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (float("inf"), 1.0, "s"))

BY_JAX, PLAIN = "jit(value_and_grad(loss))", "value_and_grad(loss)"


class NotTimedError(ValueError):
    """A gradient is not timed; the message is one line that says why."""


@dataclass(frozen=True, repr=False)
class Timings(Renderable):
    """Seconds of one call each, the medians over the rounds."""

    yours: float  #: the gradient, with the caller's arguments
    first_call: float | None  #: the gradient's first call, if it is under `jit` itself
    autodiff: Rival | None  #: `jit(value_and_grad(loss))`, with the same arguments
    on_device: Rival | None  #: the same with JAX arrays as arguments; None if they are anyway
    first_call_of_autodiff: float | None  #: tracing, compiling and running it
    loss: float  #: the loss alone, as the caller gave it
    compiled_loss: float | None  #: of `jit(loss)`
    noise: Ratio  #: of `yours` beside itself
    static: tuple[str, ...]  #: the inputs that are constants of the compiled program
    not_compiled: str | None  #: why it is not compiled; `autodiff` is then plain `value_and_grad`
    device: str  #: JAX's name for it: `cpu`, `gpu`
    rounds: int  #: how many there were

    def __repr__(self) -> str:
        compared = "" if self.autodiff is None else f", {_beside(self.autodiff, _name(self))}"
        return f"<Timings: yours {seconds(self.yours)}{compared}>"

    def _content(self) -> Document:
        medians = f"the medians of {self.rounds} rounds" if self.rounds > 1 else "one round"
        title = f"What one call takes ({self.device}, {medians}):"
        table = Table(tuple(_rows(self)), right=(1,), indent="  ")
        return Document((title, table, *sentences(self)), close=True)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as data for JSON."""
        return as_json(self)


def sentences(timings: Timings) -> list[str]:
    """Write what the numbers mean, a paragraph each."""
    texts = [timings.not_compiled] if timings.not_compiled else []
    if timings.autodiff is None:
        return [*texts, "JAX cannot differentiate it either: there is nothing to compare with."]
    texts += [_ratios(timings.autodiff, timings), *_break_even(timings)]
    if timings.static:
        verb = "is a constant" if len(timings.static) == 1 else "are constants"
        what = f"{', '.join(timings.static)} {verb} of what is compiled"
        texts.append(f"{what}: for another value it is compiled again.")
    return texts


def seconds(value: float) -> str:
    """Write a time with three digits: `2.38 µs`, `35.6 ms`, `12.0 s`."""
    factor, unit = next((factor, unit) for below, factor, unit in UNITS if value < below * 0.9995)
    scaled = value * factor
    return f"{scaled:.{2 if scaled < 9.995 else 1 if scaled < 99.95 else 0}f} {unit}"


def _name(timings: Timings) -> str:
    return PLAIN if timings.not_compiled else BY_JAX


def _rows(timings: Timings) -> list[tuple[str, str, str]]:
    """Return the rows: contender, time, and first call."""
    rows = [("yours", timings.yours, timings.first_call)]
    if timings.autodiff is not None:
        rows.append((_name(timings), timings.autodiff.seconds, timings.first_call_of_autodiff))
    if timings.on_device is not None:
        rows.append(("  its arguments held by JAX", timings.on_device.seconds, None))
    rows.append(("loss", timings.loss, None))
    if timings.compiled_loss is not None:
        rows.append(("jit(loss)", timings.compiled_loss, None))
    return [
        (name, seconds(time), "" if first is None else f"and its first one {seconds(first)}")
        for name, time, first in rows
    ]


def _ratios(autodiff: Rival, timings: Timings) -> str:
    parts = [_beside(autodiff, _name(timings))]
    if timings.on_device is not None:
        parts.append(_beside(timings.on_device, "it where JAX holds the arguments"))
    noise = f"{_times(timings.noise.low)} to {_times(timings.noise.high)}"
    return f"Yours {', and '.join(parts)}. Beside itself it takes {noise} times as long: noise."


def _beside(rival: Rival, name: str) -> str:
    between = rival.ratio
    median, bounds = _times(between.median), f"{_times(between.low)} to {_times(between.high)}"
    if rival.comparison == "as fast":
        return f"is as fast as {name} ({median} times as long, {bounds})"
    return f"takes {median} times as long as {name} ({bounds})"


def _times(value: float) -> str:
    """Write a ratio with three digits, `1.00`, `45.3`, `0.0949`; a large one whole, `1,234`."""
    if value >= 999.5:
        return f"{value:,.0f}"
    return f"{value:.2f}" if 0.995 <= value < 9.995 else short(value, 3)


def _break_even(timings: Timings) -> list[str]:
    """Say when the first call has paid for itself; nothing if none was compiled."""
    if timings.first_call_of_autodiff is None:
        return []
    rivals = [rival for rival in (timings.autodiff, timings.on_device) if rival is not None]
    first, *others = [_paid(rival) for rival in rivals]
    return [
        first,
        *(f"Where JAX holds the arguments: {other}" for other in others if other != first),
    ]


def _paid(rival: Rival) -> str:
    calls = rival.break_even or 0
    if rival.comparison == "as fast":
        return "Compiling autodiff saves no time."
    if rival.comparison == "slower":
        when = f"after {_about(calls)}" if calls else "with its first call"
        return f"Autodiff has paid for its compilation {when}."
    if calls:
        return f"Yours has paid for its longer compilation after {_about(calls)}."
    return "Autodiff never pays for its compilation: a call of yours is faster."


def _about(calls: int) -> str:
    """Write a number of calls with two digits, the accuracy of the times."""
    digits = max(0, len(str(calls)) - 2)
    rounded = round(calls, -digits)
    return f"{'about ' if digits else ''}{plural(rounded, 'call')}"
