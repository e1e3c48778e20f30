"""The report on a whole call: one report for each derivative that it is given."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from handgrad.compared import Version, row
from handgrad.comparison import ComparisonReport
from handgrad.data.numerals import listed
from handgrad.render import Document, Table, content

HEADINGS = ("derivative", "verdict", "worst", "off by", "")


@dataclass(frozen=True, repr=False)
class CallReport(ComparisonReport):
    """The reports on the derivatives of a call of `scipy.optimize`; true exactly if all pass.

    `report["hess"]` is the `GradientReport` on the Hessian; `versions` are the derivatives.
    """

    def __repr__(self) -> str:
        each = ", ".join(f"{v.name} {v.verdict}" for v in self.versions)
        return f"<CallReport: {self.verdict}, {each}>"

    @cached_property
    def headline(self) -> str:
        """The verdict in one line."""
        by_verdict: dict[str, list[str]] = {}
        for version in self.versions:
            by_verdict.setdefault(version.verdict, []).append(version.name)
        if len(by_verdict) == 1:
            return f"{self.verdict}: {listed([v.name for v in self.versions])}"
        parts = [f"{listed(names)} {verdict}" for verdict, names in by_verdict.items()]
        return f"{self.verdict}: {', '.join(parts)}"

    def _content(self) -> Document:
        rows = tuple(_row(version) for version in self.versions)
        sentences = [line for v in self.versions if not v for line in _sentences(v)]
        certified: dict[str, list[str]] = {}
        for version in self.versions:
            if version.report is not None:
                certified.setdefault(version.report.certificate, []).append(version.name)
        each = [f"{listed(names)}: {how}." for how, names in certified.items()]
        again = f"Again: {self.reproduce}"
        return Document((self.headline, Table(rows, HEADINGS), *sentences, *each, again))


def _row(version: Version) -> tuple[str, ...]:
    name, verdict, worst, off, _ = row(version)
    points = "" if version.report is None else f"{version.report.points} points"
    return name, verdict, worst, off, points


def _sentences(version: Version) -> Iterator[str]:
    """Say what is wrong with a derivative."""
    report = version.report
    if report is None:
        return
    what = report.headline.partition(": ")[2]
    yield what if what.startswith(f"{version.name}: ") else f"{version.name}: {what}"
    if report.verdict == "disagree":
        yield from content.diagnoses(report.reading)
    yield from (f"{version.name}: {f.detail}" for f in report.observed[1:] if f.leaf is not None)
