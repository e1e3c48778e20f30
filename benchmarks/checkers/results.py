"""Results of the comparison as a file: written as they come, read again, never half written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.files import Stored

#: Of a fingerprint, what may differ between an interrupted run and the one that goes on with it.
MAY_DIFFER = ("date",)


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
    wrong_leaves: list[str]  #: where the gradient was wrong; empty if it was right, or not known
    parameters: int  #: how many leaves the parameters have; 0 if not known
    seconds: float
    message: str


@dataclass
class Results(Stored):
    """All of a run."""

    WHAT, SCHEMA, PART = "results", 1, "checks"

    fingerprint: Mapping[str, Any]
    limit: float  #: seconds after which a check is stopped
    contenders: dict[str, str | None]  #: by name, why it could not be asked, or None
    checks: list[Check] = field(default_factory=list)

    def done(self) -> set[tuple[str, str]]:
        """What is answered already, (contender, case)."""
        return {(check.contender, check.case) for check in self.checks}


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The parts of two fingerprints that differ and must not, in one run."""
    names = [name for name in {**old, **new} if name not in MAY_DIFFER]
    return [name for name in names if old.get(name) != new.get(name)]
