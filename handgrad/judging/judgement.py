"""The judgement as data: the verdict, which gradient is wrong, and the evidence."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Self

from handgrad.data.findings import Finding

#: The version of the keys in the JSON of every report; it grows when one changes or goes.
SCHEMA = 1


@dataclass(frozen=True)
class Judgement:
    """The ruling on a hand-written gradient, at the points that were tried."""

    verdict: str  #: `agree`, `imprecise`, `disagree` or `undecidable`
    blame: str | None  #: which gradient is off: `yours`, `autodiff` or `both`; None if none is
    headline: str  #: the verdict in one line
    observed: tuple[Finding, ...]  #: the findings at the deciding point
    warnings: tuple[str, ...]  #: what the points cannot show, and what was left out
    certificate: str  #: how the reference was certified, in one sentence
    reproduce: str  #: the call that gives this judgement again
    points: int  #: how many points were judged
    dropped: int  #: how many points were left out because the loss is not finite there
    point: int = 0  #: the number of the deciding point; 0 is the caller's own
    params: Any = field(default=None, repr=False, compare=False)  #: the deciding point's parameters
    seconds: float = field(default=0.0, compare=False)  #: how long judging took
    strict: bool = False  #: whether lost digits are a failure
    certified: bool = True  #: whether the right gradient is certified wherever it was judged
    #: The case and its outcomes, a `handgrad.judging.outcome.Trial`; None after unpickling. Typed
    #: as Any, so that a report can be read without JAX.
    trial: Any = field(default=None, repr=False, compare=False)

    @property
    def passes(self) -> bool:
        """Whether the gradient may be used: `agree`, or without `strict` also `imprecise`."""
        return self.verdict == "agree" or (self.verdict == "imprecise" and not self.strict)

    def with_more(self, judged: Sequence[str]) -> Self:
        """Return it with what else was judged in the headline, if it passes and there is some."""
        if not judged or not self.passes:
            return self
        return replace(self, headline=f"{self.headline}; {' and '.join(judged)}, too")


def as_json(found: Any = (), **more: Any) -> dict[str, Any]:
    """Return what is found, a mapping or a dataclass, as data for JSON, with its schema version."""
    return {"schema": SCHEMA} | plain(found or {}) | plain(more)


def plain(value: Any) -> Any:
    """Return a value as data for JSON; numbers that are not finite become "nan", "inf", "-inf"."""
    if is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [plain(entry) for entry in value]
    if hasattr(value, "item"):  # NumPy's scalars
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
