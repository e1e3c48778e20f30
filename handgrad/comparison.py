"""The report on several versions of one gradient: which is right, and which is the odd one out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from handgrad.compared import Version, close_up, row, same_mistakes
from handgrad.data.numerals import listed, plural
from handgrad.judging.judgement import as_json
from handgrad.judging.verdict import of_variation
from handgrad.render import Document, Table
from handgrad.reports import RAISED, Reports

HEADINGS = ("version", "verdict", "worst", "off by", "")

#: The most warnings to show.
MOST_WARNINGS = 4


@dataclass(frozen=True, repr=False)
class ComparisonReport(Reports):
    """The reports on several versions of one gradient; true exactly if all pass.

    `report["triton"]` is the `GradientReport` on that version.
    """

    _noun: ClassVar[str] = "version"
    _field: ClassVar[str] = "versions"
    versions: tuple[Version, ...]  #: in the order given
    #: The names of the wrong versions that make the same mistake, in groups of two or more.
    same_mistake: tuple[tuple[str, ...], ...]
    reproduce: str  #: the call that gives the report again

    @classmethod
    def of(cls, versions: Sequence[Version], reproduce: str) -> "ComparisonReport":
        """Make the report on versions, which have been judged at the same points."""
        return cls(tuple(versions), tuple(same_mistakes(versions)), reproduce)

    @cached_property
    def headline(self) -> str:
        """The verdict in one line, with the odd one out."""
        return f"{self.verdict}: {_headline(self)}"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as data for JSON; the keys of a report are those of its `to_dict`."""
        versions = [
            {
                "name": v.name,
                "verdict": v.verdict,
                "passes": bool(v),
                "raised": v.raised,
                "report": None if v.report is None else v.report.to_dict(),
            }
            for v in self.versions
        ]
        return as_json(
            verdict=self.verdict,
            passes=self.passes,
            headline=self.headline,
            failing=self.failing,
            same_mistake=self.same_mistake,
            reproduce=self.reproduce,
            versions=versions,
        )

    def _content(self) -> Document:
        rows = tuple(map(row, self.versions))
        table = Table(rows, HEADINGS)
        blocks = (self.headline, table, *close_up(self.versions), *_sentences(self))
        return Document((*blocks, *warnings_in(self), _footing(self), f"Again: {self.reproduce}"))


def _headline(report: ComparisonReport) -> str:
    right = [v.name for v in report.versions if v]
    if report.passes:
        lost = [v.name for v in report.versions if v.verdict == "imprecise"]
        each = "all " if len(right) > 2 else "both " if len(right) == 2 else ""
        what = f"{listed(right)} {_are(right)} {each}right"
        return what + (f"; digits are lost in {listed(lost)}" if lost else "")
    kinds = {
        "disagree": "wrong",
        RAISED: "not judged, since it raises",
        "undecidable": "undecidable",
        "imprecise": "imprecise",
    }
    by_kind = {k: [v.name for v in report.versions if not v and v.verdict == k] for k in kinds}
    parts = [f"{listed(n)} {_are(n)} {kinds[k]}" for k, n in by_kind.items() if n]
    wrong = tuple(by_kind["disagree"])
    if wrong in report.same_mistake:
        parts[0] += " in the same way"
    if len(report.failing) == 1 and len(right) > 1:
        parts[0] = f"{parts[0]}, the odd one out"
    causes = [report[n].headline.removeprefix("undecidable: ") for n in by_kind["undecidable"]]
    # What is said after the colon may differ in numbers.
    if len(causes) == len(report.failing) and len({c.split(":")[0] for c in causes}) == 1:
        parts[0] += f": {causes[0]}"
    alone = " alone" if len(right) == 1 and len(report.failing) > 1 else ""
    return "; ".join([*parts, *([f"{listed(right)}{alone} {_are(right)} right"] if right else [])])


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _sentences(report: ComparisonReport) -> Iterator[str]:
    for names in report.same_mistake:
        known = [diagnosis.says for diagnosis in report[names[0]].diagnoses]
        what = f": {'; '.join(known)}" if known else ""
        yield f"{listed(names)} make the same mistake{what}."


def warnings_in(report: ComparisonReport, of_calls: bool = False) -> Iterator[str]:
    """Yield the warnings: of all versions once, else with the name of the version.

    That calls at one point differ is left out without `of_calls`: the table of versions says so.
    """
    reports = {v.name: v.report for v in report.versions if v.report is not None}
    found: dict[str, list[str]] = {}
    for name, each in reports.items():
        told = [] if of_calls or each.trial is None else of_variation(each.trial)
        for warning in each.warnings:
            if warning not in told:
                found.setdefault(warning, []).append(name)
    texts = [
        f"Warning: {warning}" + (f" ({listed(names)})" if len(names) < len(reports) else "")
        for warning, names in found.items()
    ]
    yield from texts[:MOST_WARNINGS]
    if len(texts) > MOST_WARNINGS:
        yield f"... and {len(texts) - MOST_WARNINGS} more warnings"


def _footing(report: ComparisonReport) -> str:
    found = report.reports
    counts = sorted({each.points for each in found})
    if not counts or not counts[-1]:
        return "No point judged."
    judged = plural(counts[-1], "point")
    if len(counts) > 1:
        judged = f"{counts[0]} to {judged}"
    certificate = next(each.certificate for each in found if each.points)
    return f"{judged} judged, the same for all. {certificate[0].upper()}{certificate[1:]}."
