"""Answers of checkers in a file that is updated as they come, always as a whole."""

from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TypedDict

from benchmarks.checkers.cases import GRADIENTS, QUESTIONS, RIGHT
from benchmarks.checkers.question import Answer, Took
from benchmarks.files import STORED_RESULTS, Described, Stored

#: The folder of the answers that documents show, a file for each kind of questions.
STORED = STORED_RESULTS / "checkers"


@dataclass(frozen=True, kw_only=True)
class Check(Answer):
    """One checker's answer to one case, in one call."""

    contender: str
    case: str  #: the case's id
    part: str
    subject: str
    what: str
    format: str = ""  #: that of the floating arguments, if not all cases are in float64


class Planted(TypedDict):
    """A mistake: what names it rightly, and how large it is at its point."""

    says: str  #: what its author did
    kinds: list[str]  #: the kinds of finding that name it rightly; `unknown` is no name
    lines: list[str]  #: texts of the forward lines whose derivative is wrong, which name it as well
    size: float | None  #: its error in float64, relative to an argument's largest element; None if
    #: the derivative has another shape, or nothing was measured
    times: float | None  #: how many times that is what rounding does to the same numbers


@dataclass
class Results(Stored):
    """The results of a run."""

    WHAT, SCHEMA, PART = "answers of checkers", 2, "checks"
    COMMAND = "python -m benchmarks checkers"
    ABOUT = MappingProxyType({"fingerprint": Described})

    limit: float  #: seconds after which a check is stopped
    contenders: dict[str, str | None]  #: by name, why it could not run, or None
    questions: str = GRADIENTS  #: one of `QUESTIONS`
    checks: list[Check] = field(default_factory=list)
    planted: dict[str, Planted] = field(default_factory=dict)  #: what is known of mistakes, by case
    #: Seconds of a product of matrices of balls, after the calls of each process that is timed.
    calibration: list[Took] = field(default_factory=list)

    def contradiction(self) -> str | None:
        """Return what was not asked, or the mistake about which nothing is known, if any."""
        if self.questions not in QUESTIONS:
            return f"questions is {self.questions!r}; expected one of {', '.join(QUESTIONS)}"
        mistakes = (check.case for check in self.checks if check.part != RIGHT)
        unknown = (case for case in mistakes if case not in self.planted)
        return next((f"{case} is not in planted" for case in unknown), None)

    def done(self) -> set[tuple[str, str]]:
        """Return the pairs (contender, case) that have an answer."""
        return {(check.contender, check.case) for check in self.checks}

    @property
    def available(self) -> list[str]:
        """The names of the checkers that could run."""
        return [name for name, reason in self.contenders.items() if reason is None]


def stored(questions: str) -> Path:
    """Return the file of the answers that documents show."""
    return STORED / f"{questions}.json"
