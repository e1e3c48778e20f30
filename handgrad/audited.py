"""One check of an audit, and what there is to say of it."""

from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import Any

from handgrad.data.numerals import short
from handgrad.report import GradientReport
from handgrad.reports import RAISED, Named


@dataclass(frozen=True)
class Audited(Named):
    """One check of an audit; true exactly if it passes."""

    name: str  #: as given
    #: What the check returned, a `GradientReport`, `StepsReport` or `ComparisonReport`; None if it
    #: raised. Typed as Any, since the caller knows.
    report: Any
    raised: str | None = None  #: what it raised, in one line
    seconds: float = field(default=0.0, compare=False)  #: how long it took, on the wall clock

    @property
    def blame(self) -> str | None:
        """Which gradient is off, as in its report, if that is on one gradient."""
        return getattr(self.report, "blame", None)

    @property
    def reports(self) -> tuple[GradientReport, ...]:
        """Its report, or those on the steps or versions that it is of; empty if it raised."""
        if self.report is None:
            return ()
        return (self.report,) if isinstance(self.report, GradientReport) else self.report.reports

    @cached_property
    def detection_limit(self) -> float | None:
        """A relative error above this would have been caught in every element.

        None if something was caught, or where that is not known.
        """
        if self.verdict in ("disagree", RAISED):
            return None
        leaves = [leaf for report in self.reports for leaf in report.leaves]
        limits = [leaf.detection_limit for leaf in leaves if leaf.judged]
        known = [limit for limit in limits if isfinite(limit) and limit > 0]
        return max(known) if known and len(known) == len(limits) else None

    @cached_property
    def says(self) -> str:
        """What there is to say beside the verdict, in one line; empty if it agrees."""
        if self.report is None:
            return self.raised or ""
        if self.verdict == "agree":
            return ""
        text = self.report.headline.removeprefix(self.verdict).removeprefix(":").strip()
        found = getattr(self.report, "diagnoses", ())
        kinds = dict.fromkeys(d.kind for d in found if d.kind != "unknown")
        return f"{text}; kind: {', '.join(kinds)}" if kinds else text

    @property
    def detects(self) -> str:
        """Its detection limit in two digits, if that is known."""
        return "" if self.detection_limit is None else short(self.detection_limit, 2)

    @property
    def row(self) -> tuple[str, ...]:
        """Its cells in the table."""
        seconds = f"{self.seconds:.1f}"
        return self.name, self.verdict, self.blame or "", seconds, self.detects, self.says
