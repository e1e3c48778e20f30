"""Answers of checkers in a file that is updated as they come, always as a whole."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, NotRequired, Self, TypeAlias, TypedDict

from msgspec import Meta

from benchmarks.checkers.cases import GRADIENTS, QUESTIONS, RIGHT
from benchmarks.files import STORED_RESULTS, Described, Stored, converted
from compare.wording import InputError, shown

#: The folder of the answers that documents show, a file for each kind of questions.
STORED = STORED_RESULTS / "checkers"

#: Raised when the meaning of a field changes.
SCHEMA = 2

#: What files of answers are, in messages.
WHAT = "answers of checkers"


Count: TypeAlias = Annotated[int, Meta(ge=0)]
Took: TypeAlias = Annotated[float, Meta(ge=0)]


@dataclass(frozen=True)
class Answer:
    """A checker's answer about a derivative; the last six are added by the run."""

    verdict: str  #: `RIGHT`, `WRONG` or `NO_ANSWER`
    reason: str = ""  #: why there is no answer: time, memory, undecidable, an error; or imprecise
    leaves: tuple[str, ...] = ()  #: the parameters it blames, `params['w']`, or the elements
    kinds: tuple[str, ...] = ()  #: the kinds of mistake it names, in `handgrad`'s terms
    message: str = ""  #: the beginning of its message
    lines: tuple[str, ...] = ()  #: the lines of the forward pass that it names
    points: Count = 0  #: how many points it judged; 0 if it does not say
    judged: Count = 0  #: how many elements at the given point; 0 likewise
    wrong_leaves: tuple[str, ...] = ()  #: what is wrong; empty if nothing is, or it is not known
    parameters: Count = 0  #: the number of what can be blamed; 0 if not known
    elements: Count = 0  #: those of the gradient; 0 if not counted
    call: Count = 0  #: the index among the calls about the same case, in one process
    seconds: Took = 0.0  #: on the clock, which other work on the machine makes longer
    #: Seconds of processors, of all threads and processes; None if it was stopped, or not recorded.
    cpu: Took | None = None

    def __str__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        cpu = "" if self.cpu is None else f", {self.cpu:.2g} s of processors"
        return f"{self.verdict}{reason}, {self.seconds:.2g} s{cpu}"


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


class Machine(Described):
    """What the answers' times depend on."""

    load: NotRequired[float]  #: before the run began


@dataclass
class Results(Stored):
    """The results of a run."""

    EXPECTED = f"a JSON file with {WHAT}, as `python -m benchmarks checkers --out` writes it"

    fingerprint: Machine
    limit: float  #: seconds after which a check is stopped
    contenders: dict[str, str | None]  #: by name, why it could not run, or None
    questions: str = GRADIENTS  #: one of `QUESTIONS`
    checks: list[Check] = field(default_factory=list)
    planted: dict[str, Planted] = field(default_factory=dict)  #: what is known of mistakes, by case

    def as_json(self) -> str:
        """Format as one JSON object, one line per check."""
        head = asdict(self)
        checks = (json.dumps(check, ensure_ascii=False) for check in head.pop("checks"))
        lines = ",\n".join(f"  {check}" for check in checks)
        about = json.dumps({"schema": SCHEMA} | head, ensure_ascii=False, indent=1)[:-2]
        return f'{about},\n "checks": [\n{lines}\n ]\n}}\n'

    @classmethod
    def read(cls, found: Any, where: str) -> Self:
        """Read the results from JSON that is parsed."""
        got = found.get("schema") if isinstance(found, dict) else type(found).__name__
        if got != SCHEMA:
            wanted = f"{WHAT} of schema {SCHEMA}"
            raise InputError(f"{where}: got schema {shown(repr(got))}, expected {wanted}")
        # The list may be empty, but a file must contain it.
        read = converted({"checks": None} | found, cls, where)
        mistakes = {check.case for check in read.checks if check.part != RIGHT}
        why = [f"{case} is not in planted" for case in sorted(mistakes - {*read.planted})]
        if read.questions not in QUESTIONS:
            why = [f"questions is {read.questions!r}; expected one of {', '.join(QUESTIONS)}"]
        if why:
            raise InputError(f"{where}: these are no {WHAT}: {why[0]}")
        return read

    @property
    def available(self) -> list[str]:
        """The names of the checkers that could run."""
        return [name for name, reason in self.contenders.items() if reason is None]


def stored(questions: str) -> Path:
    """Return the file of the answers that documents show."""
    return STORED / f"{questions}.json"
