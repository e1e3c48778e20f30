"""Times of checks in a file that is updated as they come, always as a whole."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated

from msgspec import Meta

from benchmarks.checkers.question import RIGHT
from benchmarks.files import STORED_RESULTS, Described, Stored
from benchmarks.results import Seconds
from compare.wording import shown

#: The results that docs/checking.md shows.
STORED = STORED_RESULTS / "check_times.json"

#: The checker that is ours, and its verdict on a gradient that is right.
OURS, AGREE = "handgrad.check_gradient", "agree"

Count = Annotated[int, Meta(ge=0)]


@dataclass(frozen=True)
class Call:
    """One call of a checker about a right gradient."""

    seconds: Seconds
    processor: Annotated[float, Meta(ge=0)]  #: seconds of all processors together
    verdict: str
    points: Count = 0  #: how many points were judged; 0 where the checker does not say
    judged: Count = 0  #: how many elements at the given point; 0 likewise


@dataclass
class Row:
    """One checker on one model."""

    subject: str
    contender: str
    parameters: Annotated[int, Meta(ge=1)]
    options: dict[str, float] = field(default_factory=dict)  #: those that are not the defaults
    first: list[Call] = field(default_factory=list)  #: each in a new process
    later: list[Call] = field(default_factory=list)  #: in one process
    calibration: list[Seconds] = field(default_factory=list)
    """Seconds of a product of matrices of balls, after the calls of each process."""
    stopped: str = ""  #: why there is no answer: time, memory, crashed

    @property
    def calls(self) -> Sequence[Call]:
        """All calls."""
        return (*self.first, *self.later)

    @property
    def wrong(self) -> str:
        """Why the row has no times: its first verdict that is not right, or why it was stopped."""
        right = AGREE if self.contender == OURS else RIGHT
        others = [call.verdict for call in self.calls if call.verdict != right]
        return self.stopped or next(iter(others), "")

    @property
    def whole(self) -> bool:
        """Whether every element was judged in every call."""
        return bool(self.calls) and all(call.judged == self.parameters for call in self.calls)


class Machine(Described):
    """What tables need of the fingerprint."""

    load: float


@dataclass
class Results(Stored):
    """The results of a run."""

    WHAT, SCHEMA, PART = "times of checks", 1, "rows"
    COMMAND = "python -m benchmarks check-times"
    ABOUT = MappingProxyType({"fingerprint": Machine})

    processes: Annotated[int, Meta(ge=1)]  #: how many first calls a row has
    later: Annotated[int, Meta(ge=1)]  #: how many later calls
    predicted: float  #: the exponent of the cost in the number of parameters
    because: str  #: why, in words
    contenders: dict[str, str | None]  #: by name, why it could not run, or None
    rows: list[Row] = field(default_factory=list)

    def contradiction(self) -> str | None:
        """Return where a row stands twice, or has not as many calls as the run has."""
        found = [(row.subject, row.contender) for row in self.rows]
        for row in self.rows:
            where = f"{shown(row.subject)}, {shown(row.contender)}"
            if found.count((row.subject, row.contender)) > 1:
                return f"{where}: expected one row"
            calls = (len(row.first), len(row.later), len(row.calibration))
            if not row.stopped and calls != (self.processes, self.later, self.processes):
                return f"{where}: expected {self.processes} first calls and {self.later} later ones"
        return None

    def row(self, subject: str, contender: str = OURS) -> Row | None:
        """Return the row of a checker on a model, if there is one."""
        rows = (row for row in self.rows if (row.subject, row.contender) == (subject, contender))
        return next(rows, None)

    @property
    def failed(self) -> list[str]:
        """Our rows that have no time, a line each."""
        rows = [row for row in self.rows if row.contender == OURS and row.wrong]
        return [f"{row.subject}: {row.wrong}" for row in rows]

    @property
    def calibration(self) -> Sequence[float]:
        """The calibrations of all processes."""
        return [seconds for row in self.rows for seconds in row.calibration]


def median(calls: Sequence[Call]) -> float:
    """Return the median of the seconds."""
    return statistics.median(call.seconds for call in calls)
