"""Results of the comparison in a file that is updated as they come, always as a whole."""

from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Self, TypedDict

from benchmarks.files import STORED_RESULTS, Described, Stored
from compare.wording import InputError

#: The results that docs/checking.md shows, those about torch functions, of docs/pytorch.md, and
#: those about Jacobians, Hessians and others.
STORED, STORED_TORCH = STORED_RESULTS / "checkers.json", STORED_RESULTS / "checkers_torch.json"
STORED_DERIVATIVES = STORED_RESULTS / "checkers_derivatives.json"

#: The commands that ask: about losses and gradients, about torch functions, about the others.
GRADIENTS, FUNCTIONS, DERIVATIVES = "checkers", "checkers-torch", "checkers-derivatives"


@dataclass(frozen=True)
class Check:
    """One checker's answer to one case."""

    contender: str
    case: str  #: the case's id
    part: str
    subject: str
    what: str
    verdict: str
    reason: str
    leaves: list[str]  #: the parameters it blamed
    kinds: list[str]  #: the kinds of mistake it named
    wrong_leaves: list[str]  #: the wrong leaves; empty if the gradient was right, or not known
    parameters: int  #: the number of leaves of the parameters; 0 if not known
    seconds: float  #: on the clock, which other work on the machine makes longer
    message: str
    format: str = ""  #: that of the floating arguments, if not all cases are in float64
    lines: list[str] = field(default_factory=list)  #: the lines of the forward pass it named
    #: Seconds of processors, of all threads and processes; None if it was stopped, or not recorded.
    cpu: float | None = None


class Planted(TypedDict):
    """A mistake in a function: what names it rightly, and how large it is at its point."""

    says: str  #: what its author did
    kinds: list[str]  #: the kinds of finding that name it rightly
    lines: list[str]  #: texts of the forward lines whose derivative is wrong, which name it as well
    size: float | None  #: its error in float64, relative to an argument's largest gradient; None if
    #: the gradient has another shape
    times: float | None  #: how many times that is what rounding does to the same gradient


@dataclass
class Results(Stored):
    """The results of a run."""

    WHAT, SCHEMA, PART = "answers of checkers", 1, "checks"
    COMMAND = "python -m benchmarks checkers"
    ABOUT = MappingProxyType({"fingerprint": Described})

    limit: float  #: seconds after which a check is stopped
    contenders: dict[str, str | None]  #: by name, why it could not run, or None
    checks: list[Check] = field(default_factory=list)
    planted: dict[str, Planted] = field(default_factory=dict)  #: what is known of mistakes, by case
    command: str = GRADIENTS  #: that of `python -m benchmarks` which asks

    def contradiction(self) -> str | None:
        """Return the mistake about which nothing is known, if there is one."""
        known = self.command != GRADIENTS
        asked = (c.case for c in self.checks if c.part == "mistakes" and known)
        return next(
            (f"{case} is not in planted" for case in asked if case not in self.planted), None
        )

    @classmethod
    def load_of(cls, command: str, path: Path) -> Self:
        """Read a file of results of a command.

        Raises:
            InputError: as `load`, or they are those of another one.
        """
        found = cls.load(path)
        if found.command != command:
            got, wanted = (f"`benchmarks {name}`" for name in (found.command, command))
            raise InputError(f"{path}: answers of {got}, expected those of {wanted}")
        return found

    def done(self) -> set[tuple[str, str]]:
        """Return the pairs (contender, case) that have an answer."""
        return {(check.contender, check.case) for check in self.checks}
