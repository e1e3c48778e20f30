"""Results of the comparison in a file that is updated as they come, always as a whole."""

from dataclasses import dataclass, field
from types import MappingProxyType

from benchmarks.files import STORED_RESULTS, Described, Stored

#: The results that docs/checking.md shows.
STORED = STORED_RESULTS / "checkers.json"


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
    seconds: float
    message: str


@dataclass
class Results(Stored):
    """The results of a run."""

    WHAT, SCHEMA, PART = "answers of checkers", 1, "checks"
    ABOUT = MappingProxyType({"fingerprint": Described})

    limit: float  #: seconds after which a check is stopped
    contenders: dict[str, str | None]  #: by name, why it could not run, or None
    checks: list[Check] = field(default_factory=list)

    def done(self) -> set[tuple[str, str]]:
        """Return the pairs (contender, case) that have an answer."""
        return {(check.contender, check.case) for check in self.checks}
