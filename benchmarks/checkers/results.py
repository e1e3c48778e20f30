"""Results of the comparison as a file: written as they come, read again, never half written."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from benchmarks.files import BadResultsError, read, write

#: Raised when the meaning of a field changes.
SCHEMA = 1

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
class Results:
    """All of a run."""

    fingerprint: Mapping[str, Any]
    limit: float  #: seconds after which a check is stopped
    contenders: dict[str, str | None]  #: by name, why it could not be asked, or None
    checks: list[Check] = field(default_factory=list)

    def done(self) -> set[tuple[str, str]]:
        """What is answered already, (contender, case)."""
        return {(check.contender, check.case) for check in self.checks}

    def as_json(self) -> str:
        """As one JSON object, a line a check."""
        about = {"schema": SCHEMA, "fingerprint": dict(self.fingerprint), "limit": self.limit}
        head = json.dumps(about | {"contenders": self.contenders}, ensure_ascii=False, indent=1)
        lines = [json.dumps(asdict(check), ensure_ascii=False) for check in self.checks]
        body = ",\n  ".join(lines)
        return f'{head[:-2]},\n "checks": [\n  {body}\n ]\n}}\n'

    def save(self, path: Path) -> None:
        """Write the file in one step.

        Raises:
            BadResultsError: it cannot be written.
        """
        write(path, self.as_json())


def load(path: Path) -> Results:
    """Read a file of results.

    Raises:
        BadResultsError: it cannot be read, or it is no file of results, or of another schema.
    """
    found = read(path, "results", SCHEMA, "checks")
    try:
        checks = [_check(entry) for entry in found["checks"]]
        return Results(found["fingerprint"], found["limit"], found["contenders"], checks)
    except (KeyError, TypeError) as error:
        raise BadResultsError(f"{path}: a field of the results is missing: {error}") from error


def _check(entry: Any) -> Check:
    return Check(**{f.name: entry[f.name] for f in fields(Check)})


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The parts of two fingerprints that differ and must not, in one run."""
    names = [name for name in {**old, **new} if name not in MAY_DIFFER]
    return [name for name in names if old.get(name) != new.get(name)]
