"""The report on a whole call: one report for each derivative that it is given."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from handgrad.compared import Version, row
from handgrad.comparison import ComparisonReport, warnings_in
from handgrad.data.numerals import listed, plural
from handgrad.render import Document, Table, content
from handgrad.report import GradientReport

HEADINGS = ("derivative", "verdict", "worst", "off by", "")


@dataclass(frozen=True, repr=False)
class CallReport(ComparisonReport):
    """The reports on the derivatives of a call of `scipy.optimize`; true exactly if all pass.

    `report["hess"]` is the `GradientReport` on the Hessian; `versions` are the derivatives.
    """

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
        sentences = [line for version in self.versions for line in _sentences(version)]
        certified: dict[str, list[str]] = {}
        for version in self.versions:
            if version.report is not None:
                certified.setdefault(version.report.certificate, []).append(version.name)
        each = [f"{listed(names)}: {how}." for how, names in certified.items()]
        again = f"Again: {self.reproduce}"
        warnings = warnings_in(self, of_calls=True)
        blocks = (self.headline, Table(rows, HEADINGS), *sentences, *warnings, *each, again)
        return Document(blocks)


def _row(version: Version) -> tuple[str, ...]:
    name, verdict, worst, off, _ = row(version)
    points = "" if version.report is None else f"{version.report.points} points"
    return name, verdict, worst, off, points


def _sentences(version: Version) -> Iterator[str]:
    """Say what is wrong with a derivative, or with autodiff beside it, and what was left out."""
    report = version.report
    if report is None:
        return
    if report.verdict != "agree" or report.blame is not None:
        yield _headline(version.name, report)
    if report.verdict == "disagree":
        yield from content.diagnoses(report.reading)
    if not report:
        found = [finding for finding in report.observed[1:] if finding.leaf is not None]
        yield from (f"{version.name}: {finding.detail}" for finding in found)
    if report.dropped:
        left = f"{plural(report.dropped, 'point')} left out because the loss is not finite there"
        yield f"{version.name}: {left}."


def _headline(name: str, report: GradientReport) -> str:
    """Return the headline of a derivative with its name for the verdict, which the table has.

    What else is before the colon says where it is wrong, as in "disagree at point 8, where".
    """
    head, _, what = report.headline.partition(": ")
    where = head.removeprefix(report.verdict).strip()
    return f"{name}{where and f', {where}'}: {what.removeprefix(f'{name}: ')}"
