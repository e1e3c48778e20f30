"""The report on many checks at once: one table, the failures, and what was not judged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from handgrad.audit_page import as_junit, as_page
from handgrad.audited import Audited
from handgrad.data.findings import NotJudged
from handgrad.data.numerals import plural
from handgrad.judging.judgement import as_json
from handgrad.render import Document, Table
from handgrad.render.content import FEW_LEAVES, WORST_FIRST
from handgrad.report import GradientReport
from handgrad.reports import RAISED, Reports

if TYPE_CHECKING:
    from handgrad.power import Power

HEADINGS = ("check", "verdict", "blame", "seconds", "detects", "")
RIGHT_ALIGNED = (3, 4)

DETECTS = "Detects: a larger relative error, in any element, would have been caught."

#: What stands in place of the verdict of what was not judged.
NOT_JUDGED = "not judged"

#: The order of the table; in the headline, how many and which of each.
_ORDER = (WORST_FIRST[0], RAISED, *WORST_FIRST[1:])
_SAYS = {"disagree": "wrong", RAISED: "raised", "undecidable": "undecidable"}


@dataclass(frozen=True, repr=False)
class AuditReport(Reports):
    """The reports of many checks; true exactly if one was made, and all pass.

    `report["logit"]` is what the check of that name returned.
    """

    _noun: ClassVar[str] = "check"
    _field: ClassVar[str] = "audited"
    audited: tuple[Audited, ...]  #: in the order given
    not_judged: tuple[NotJudged, ...] = ()  #: what was found and not judged, and why

    def __repr__(self) -> str:
        return f"<AuditReport: {self.headline}>"

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict of each check, or `raised`, by its name."""
        return {one.name: one.verdict for one in self.audited}

    @property
    def headline(self) -> str:
        """How many pass, and which do not, in one line."""
        left = f"{len(self.not_judged)} not judged" if self.not_judged else ""
        if not self.audited:
            return f"nothing was judged{left and f'; {left}'}"
        count, right = len(self.audited), [one for one in self.audited if one]
        start = f"{len(right)} of {plural(count, 'check')} pass"
        if self.passes:
            start = f"all {plural(count, 'check')} pass" if count > 1 else "the one check passes"
        parts = [_counted(self.audited, verdict, says) for verdict, says in _SAYS.items()]
        parts.append(_counted(self.audited, "imprecise", "imprecise"))
        told = ", ".join(part for part in parts if part)
        return "; ".join(part for part in (start + (told and f": {told}"), left) if part)

    def power(
        self,
        rtol: float | None = None,
        test: Mapping[str, Callable[[Any], Any]] | None = None,
    ) -> "Power":
        """Compute which planted mistakes would have been caught, in all that was judged.

        Takes seconds for each check. As `GradientReport.power`; a mistake is named with its check.

        Args:
            rtol: tell instead what a test at these points would catch that compares every element
                with the right one, with this relative tolerance and no absolute one.
            test: run your own tests instead, by the names of their checks, as for
                `GradientReport.power`. What has none, or is wrong, is named.

        Raises:
            TypeError, ValueError: both are given, or there is a test for no check; also as
                `GradientReport.power`, with the name of the check before it.
        """
        from handgrad.power import Power, together

        reports = self.plantable
        if test is None:
            found = together({name: report.power() for name, report in reports.items()})
            return found if rtol is None else found.of_tolerance(rtol)
        if rtol is not None:
            raise TypeError("power: got rtol beside test, expected one of the two")
        for name in test:
            if name not in reports:
                known = ", ".join(map(repr, reports))
                raise ValueError(f"power: got a test of {name!r}, expected of one of {known}")
        powers = {}
        for name, report in reports.items():
            if report.verdict == "disagree":
                powers[name] = Power((), 0, "in what is wrong as it is")
            elif name not in test:
                powers[name] = Power((), 0, "where there is no test")
            else:
                try:
                    powers[name] = report.power(test=test[name])
                except (TypeError, ValueError) as error:
                    raise type(error)(f"{name}: {error}") from None
        return together(powers, "your tests")

    @property
    def plantable(self) -> dict[str, GradientReport]:
        """The reports on what mistakes can be planted in, by the names of their checks."""
        found = {}
        for one in self.audited:
            for k, report in enumerate(one.reports):
                of_several = f" {k + 1}" if len(one.reports) > 1 else ""
                case = None if report.trial is None else report.trial.case
                if case is not None and case.claim.order and not case.claim.along_directions:
                    found[one.name + of_several] = report
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return everything as data for JSON; the keys of a report are those of its `to_dict`."""
        checks = [
            {
                "name": one.name,
                "verdict": one.verdict,
                "passes": bool(one),
                "blame": one.blame,
                "seconds": one.seconds,
                "detection_limit": one.detection_limit,
                "says": one.says,
                "raised": one.raised,
                "report": None if one.report is None else one.report.to_dict(),
            }
            for one in self.audited
        ]
        return as_json(
            passes=self.passes,
            headline=self.headline,
            failing=self.failing,
            checks=checks,
            not_judged=[left._asdict() for left in self.not_judged],
        )

    def to_html(self, title: str = "Gradients, judged") -> str:
        """Return a page of HTML by itself: what fails, what passes by package, every report."""
        return as_page(title, self._sentence, self._worst_first, self._closing)

    def to_junit(self) -> str:
        """Return JUnit's XML, which CI systems show: a test case for each check.

        Of a check that fails it has the report; one that raised is an error, and what was not
        judged is skipped.
        """
        return as_junit(self.audited, self.not_judged)

    @property
    def _sentence(self) -> str:
        return f"{self.headline[0].upper()}{self.headline[1:]}."

    @property
    def _worst_first(self) -> list[Audited]:
        """The checks as the table has them; those of one verdict in the order given."""
        return sorted(self.audited, key=lambda one: (bool(one), _ORDER.index(one.verdict)))

    @property
    def _closing(self) -> tuple[str | Table, ...]:
        """What stands below the checks."""
        blocks: list[str | Table] = [DETECTS] if any(one.detects for one in self.audited) else []
        if self.not_judged:
            blocks.append(Table(tuple(map(tuple, self.not_judged)), (NOT_JUDGED, "because")))
        return tuple(blocks)

    def _content(self) -> Document:
        rows = tuple(one.row for one in self._worst_first)
        table = (Table(rows, HEADINGS, RIGHT_ALIGNED),) if rows else ()
        return Document((self._sentence, *table, *self._closing))


def _counted(audited: Any, verdict: str, says: str) -> str:
    """Return how many have a verdict and the names of the first: `2 wrong (a, b)`; or nothing."""
    names = [one.name for one in audited if one.verdict == verdict]
    more = " ..." if names[FEW_LEAVES:] else ""
    return f"{len(names)} {says} ({', '.join(names[:FEW_LEAVES])}{more})" if names else ""
