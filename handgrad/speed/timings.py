"""Timings as data, and how they read."""

from dataclasses import asdict, dataclass
from functools import partial
from textwrap import fill
from typing import Any

from handgrad.data.numerals import WIDTH, plural, short
from handgrad.speed.rounds import Ratio, Rival

#: Units of time, each where a number has no more than three digits before the point.
UNITS = ((1e-6, 1e9, "ns"), (1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (float("inf"), 1.0, "s"))

BY_JAX, PLAIN = "jit(value_and_grad(loss))", "value_and_grad(loss)"


class NotTimedError(ValueError):
    """Why a gradient gets no time, in one line."""


@dataclass(frozen=True)
class Timings:
    """Seconds of one call each, the medians over the rounds."""

    yours: float  #: the gradient, with its arguments as they were given
    first_call: float | None  #: of the gradient, where it is under `jit` itself
    autodiff: Rival | None  #: jit(value_and_grad(loss)), with the same arguments
    on_device: Rival | None  #: the same with arguments that JAX holds; None if it does anyway
    first_call_of_autodiff: float | None  #: tracing, compiling and running it
    loss: float  #: the loss alone, as it was given
    compiled_loss: float | None  #: jit(loss)
    noise: Ratio  #: yours / yours
    static: tuple[str, ...]  #: the inputs that are constants of what is compiled
    not_compiled: str | None  #: why nothing is; `autodiff` is then value_and_grad(loss) if it runs
    device: str  #: JAX's name for it: cpu, gpu
    rounds: int

    def __str__(self) -> str:
        return as_text(self)

    def to_dict(self) -> dict[str, Any]:
        """All of it, for machines; JSON takes it."""
        return asdict(self) | {"static": list(self.static)}


def as_text(timings: Timings) -> str:
    """The timings as text, at most 80 columns wide."""
    title = f"What one call takes ({timings.device}, {_medians(timings.rounds)}):"
    rows = _rows(timings)
    width = max(len(name) for name, _, _ in rows)
    longest = max(len(time) for _, time, _ in rows)
    table = [f"  {name:{width}}  {time:>{longest}}  {note}".rstrip() for name, time, note in rows]
    wrapped = partial(fill, width=WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join([title, *table, *map(wrapped, sentences(timings))])


def sentences(timings: Timings) -> list[str]:
    """What the numbers say, a paragraph each."""
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
    """A time in three digits: `2.38 µs`, `35.6 ms`, `12.0 s`."""
    factor, unit = next((factor, unit) for below, factor, unit in UNITS if value < below * 0.9995)
    scaled = value * factor
    return f"{scaled:.{2 if scaled < 9.995 else 1 if scaled < 99.95 else 0}f} {unit}"


def _medians(rounds: int) -> str:
    return f"the medians of {rounds} rounds" if rounds > 1 else "one round"


def _name(timings: Timings) -> str:
    return PLAIN if timings.not_compiled else BY_JAX


def _rows(timings: Timings) -> list[tuple[str, str, str]]:
    """What was timed, its time, and its first call."""
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
    """A ratio in three digits: `1.00`, `45.3`, `0.0949`; all of a large one's, `1,234`."""
    if value >= 999.5:
        return f"{value:,.0f}"
    return f"{value:.2f}" if 0.995 <= value < 9.995 else short(value, 3)


def _break_even(timings: Timings) -> list[str]:
    """When the first call has paid for itself; nothing where none was compiled."""
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
    """Two digits of a number of calls: times are not known better."""
    digits = max(0, len(str(calls)) - 2)
    rounded = round(calls, -digits)
    return f"{'about ' if digits else ''}{plural(rounded, 'call')}"
