"""Gate and time the ways to a network's gradient against the floor of its matrix products."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax

from benchmarks.gate import Answer, Gate, gate, point
from benchmarks.network_contenders import CONTENDERS, FLOORS, GRAD, HAND, HAND_JITTED, floors
from benchmarks.rounds import middle, time_rounds
from manual.network import Network

AGAIN = f"{HAND} (again)"
#: Of JAX's products: float32 throughout, also where a device would take fewer bits by itself.
PRECISION = "highest"


@dataclass(frozen=True)
class Row:
    """One row's result."""

    name: str
    seconds: list[float]  #: of one run, by round; [] if it has no time
    ratio: tuple[float, float, float] | None  #: to the floor: lower quartile, median, upper
    share: float | None  #: the largest error of its answer in parts of what the gate allows
    note: str  #: why there is no time, or ""


@dataclass(frozen=True)
class Timings:
    """What was measured."""

    rows: list[Row]  #: the floors, the contenders, and the one that runs twice
    floor: str  #: the library whose products are the floor
    sees: float  #: the part of the gradient's elements that could not be 0 unnoticed

    def ratios(self, name: str, to: str) -> list[float]:
        """One row's time over another's, by round; [] if either has no time."""
        times = {row.name: row.seconds for row in self.rows}
        if not (times[name] and times[to]):
            return []
        return [a / b for a, b in zip(times[name], times[to], strict=True)]


def measure(
    network: Network,
    batch: int,
    rounds: int,
    on_round: Callable[[int], None] = lambda _: None,
) -> Timings:
    """Gate and time all contenders.

    Raises:
        AtAKinkError: there is no gradient to hold them to.
    """
    here = point(network, batch)
    judge = gate(here)
    notes: dict[str, str] = {}
    shares: dict[str, float] = {}
    with jax.default_matmul_precision(PRECISION):
        running = floors(here)
        for name, make in CONTENDERS.items():
            run = make(here)
            _hold(judge, name, run(), notes, shares)
            if name not in notes:
                running[name] = run
        if HAND in running:
            running[AGAIN] = running[HAND]
        times, last = time_rounds(running, rounds, on_round)
    for name in running:
        if name not in FLOORS.values():
            _hold(judge, name, last[name], notes, shares)
    library = min(FLOORS, key=lambda library: statistics.median(times[FLOORS[library]]))
    floor = times[FLOORS[library]]
    rows = []
    for name in (*FLOORS.values(), *CONTENDERS, AGAIN):
        seconds = [] if name in notes else times.get(name, [])
        ratio = middle([a / b for a, b in zip(seconds, floor, strict=True)]) if seconds else None
        note = notes.get(name, "" if seconds else "not timed")
        rows.append(Row(name, seconds, ratio, shares.get(name), note))
    return Timings(rows, library, judge.sees())


def _hold(judge: Gate, name: str, answer: Answer, notes: Any, shares: Any) -> None:
    """Let the gate judge an answer: a note if it is wrong, else its share of what is allowed."""
    complaint = judge.complaint(answer)
    if complaint:
        notes[name] = f"wrong: {complaint}"
        shares.pop(name, None)
    else:
        shares[name] = max(judge.share(answer), shares.get(name, 0.0))


def factors(timings: Timings) -> dict[str, float]:
    """Compiler gain, autodiff tax, and the speed-up that is their quotient; {} if one is missing.

    Geometric means over the rounds.
    """
    named = {
        "compiler_gain": timings.ratios(HAND, HAND_JITTED),
        "autodiff_tax": timings.ratios(GRAD, HAND_JITTED),
        "speed_up": timings.ratios(HAND, GRAD),
    }
    if not all(named.values()):
        return {}
    return {name: statistics.geometric_mean(ratios) for name, ratios in named.items()}
