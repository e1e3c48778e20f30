"""The report on several versions of one gradient: which is right, and which is the odd one out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from handgrad.data import numerals
from handgrad.data.findings import LeafReport
from handgrad.data.numerals import place, plural
from handgrad.data.point import index_of
from handgrad.data.ulps import ulp_distance
from handgrad.diagnosis.samples import sample_of
from handgrad.judging.findings import right_value
from handgrad.judging.judgement import as_json
from handgrad.judging.ruling import Ruling
from handgrad.judging.verdict import ulps
from handgrad.render import Document, Renderable, Table, content
from handgrad.report import GradientReport

HEADINGS = ("version", "verdict", "worst", "off by", "")

#: What stands in place of the verdict of a version that raised.
RAISED = "raised"

#: The most warnings to show.
MOST_WARNINGS = 4


@dataclass(frozen=True)
class Version:
    """One version of a gradient; true exactly if it passes."""

    name: str  #: as given
    report: GradientReport | None  #: None if it raised at the given point
    raised: str | None = None  #: what it raised there, in one line

    def __bool__(self) -> bool:
        return self.report is not None and self.report.passes

    @property
    def verdict(self) -> str:
        """The verdict of its report, or `raised`."""
        return RAISED if self.report is None else self.report.verdict

    @property
    def worst(self) -> LeafReport | None:
        """The leaf with its worst element; None if it has not the form of a gradient."""
        if self.report is None or not self.report.leaves:
            return None
        return content.ordered(self.report._reading())[0]

    def ruling(self, point: int) -> Ruling | None:
        """Return what was ruled at a point, by its number; None if nothing was."""
        trial = None if self.report is None else self.report.trial
        outcomes = () if trial is None else trial.outcomes
        return outcomes[point].ruling if point < len(outcomes) else None


@dataclass(frozen=True, repr=False)
class ComparisonReport(Renderable):
    """The reports on several versions of one gradient; true exactly if all pass.

    `report["triton"]` is the `GradientReport` on that version.
    """

    versions: tuple[Version, ...]  #: in the order given
    #: The names of the wrong versions that make the same mistake, in groups of two or more.
    same_mistake: tuple[tuple[str, ...], ...]
    reproduce: str  #: the call that gives the report again

    @classmethod
    def of(cls, versions: Sequence[Version], reproduce: str) -> "ComparisonReport":
        """Make the report on versions, which have been judged at the same points."""
        return cls(tuple(versions), tuple(_same_mistakes(versions)), reproduce)

    def __bool__(self) -> bool:
        return self.passes

    def __getitem__(self, name: str) -> GradientReport:
        version = next((v for v in self.versions if v.name == name), None)
        if version is None:
            known = ", ".join(repr(v.name) for v in self.versions)
            raise KeyError(f"no version {name!r}; expected one of {known}")
        if version.report is None:
            raise KeyError(f"{name!r} has no report, since it raised {version.raised}")
        return version.report

    def __iter__(self) -> Iterator[str]:
        return iter(version.name for version in self.versions)

    def __repr__(self) -> str:
        each = ", ".join(f"{v.name} {v.verdict}" for v in self.versions)
        return f"<ComparisonReport: {self.verdict}, {each}>"

    @property
    def reports(self) -> tuple[GradientReport, ...]:
        """The report on each version that did not raise."""
        return tuple(v.report for v in self.versions if v.report is not None)

    @property
    def passes(self) -> bool:
        """Whether every version passes."""
        return all(self.versions)

    @property
    def failing(self) -> tuple[str, ...]:
        """The names of the versions that do not pass."""
        return tuple(version.name for version in self.versions if not version)

    @property
    def verdict(self) -> str:
        """The worst of the versions' verdicts; `disagree` if one raised."""
        found = {version.verdict for version in self.versions}
        if found & {"disagree", RAISED}:
            return "disagree"
        return next(v for v in ("undecidable", "imprecise", "agree") if v in found)

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
        rows = tuple(map(_row, self.versions))
        table = Table(rows, HEADINGS)
        blocks = (self.headline, table, *_close_up(self), *_sentences(self))
        return Document((*blocks, *_warnings(self), _footing(self), f"Again: {self.reproduce}"))


def _headline(report: ComparisonReport) -> str:
    right = [v.name for v in report.versions if v]
    if report.passes:
        lost = [v.name for v in report.versions if v.verdict == "imprecise"]
        each = "all " if len(right) > 2 else "both " if len(right) == 2 else ""
        what = f"{_listed(right)} {_are(right)} {each}right"
        return what + (f"; digits are lost in {_listed(lost)}" if lost else "")
    kinds = {
        "disagree": "wrong",
        RAISED: "not judged, since it raises",
        "undecidable": "undecidable",
        "imprecise": "imprecise",
    }
    by_kind = {k: [v.name for v in report.versions if not v and v.verdict == k] for k in kinds}
    parts = [f"{_listed(n)} {_are(n)} {kinds[k]}" for k, n in by_kind.items() if n]
    wrong = tuple(by_kind["disagree"])
    if wrong in report.same_mistake:
        parts[0] += " in the same way"
    if len(report.failing) == 1 and len(right) > 1:
        parts[0] = f"{parts[0]}, the odd one out"
    alone = " alone" if len(right) == 1 and len(report.failing) > 1 else ""
    return "; ".join([*parts, *([f"{_listed(right)}{alone} {_are(right)} right"] if right else [])])


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _row(version: Version) -> tuple[str, ...]:
    if version.report is None:
        return version.name, version.verdict, "", "", version.raised or ""
    leaf, what = version.worst, "; ".join(_in_short(version.report))
    if leaf is None:
        return version.name, version.verdict, "", "", what
    return version.name, version.verdict, content.element(leaf), content.rows(leaf)[1].note, what


def _in_short(report: GradientReport) -> Iterator[str]:
    """Say what is known of a version's mistake, and whether it varies."""
    if report.verdict == "undecidable":
        yield report.headline.removeprefix("undecidable: ")
    elif report.verdict == "disagree":
        known = content.diagnoses(report._reading())
        yield (known or [report.headline.removeprefix("disagree")])[0].lstrip(": ")
    elif report.verdict == "imprecise" and report.observed:
        yield report.observed[0].detail.rpartition(": ")[2]
    varying = [o.varies for o in report.trial.outcomes if o.varies] if report.trial else []
    if varying:
        yield f"varies: {max(varying, key=lambda variation: variation.ulps)}"


class _Place(NamedTuple):
    title: str
    point: int
    i: int  #: the number of the element in a vector of all


def _close_up(report: ComparisonReport) -> Iterator[str | Table]:
    """Show one element by all versions: the worst of one that fails, or where they differ most."""
    at = _of_the_first_failing(report) or _where_they_differ(report)
    if at is None:
        return
    found = [(v.name, ruling) for v in report.versions if (ruling := v.ruling(at.point))]
    first = found[0][1]
    leaf = first.given.leaves[_leaf_of(first, at.i)]
    witnesses = [(name, ruling.yours) for name, ruling in found]
    if not np.isnan(first.autodiff.answer[at.i]):
        witnesses.append(("autodiff", first.autodiff))
    exact = numerals.decimal(right_value(first, at.i).midpoint)
    values = [float(witness.answer[at.i]) for _, witness in witnesses]
    text, *digits = numerals.beside(exact, values, leaf.dtype.name)
    rows = [("exact", text, "")]
    for (name, witness), value, shown in zip(witnesses, values, digits, strict=True):
        right = numerals.right_digits(exact, value)
        row = content.row(name, shown, text, ulps(witness, at.i, leaf.dtype), right)
        rows.append((name, shown, row.note))
    yield at.title
    yield Table(tuple(rows), indent="  ")


def _of_the_first_failing(report: ComparisonReport) -> _Place | None:
    for version in report.versions:
        if version or version.report is None or (leaf := version.worst) is None:
            continue
        given = version.report.trial.outcomes[version.report.point].given
        part = given.parts()[given.paths.index(leaf.path)]
        within = np.ravel_multi_index(leaf.index, leaf.shape) if leaf.index else 0
        i = part.start + int(within)
        at = f", at point {version.report.point}" if version.report.point else ""
        title = f"Where {version.name} is worst, {content.element(leaf)}{at}:"
        return _Place(title, version.report.point, i)
    return None


def _where_they_differ(report: ComparisonReport) -> _Place | None:
    """Return the element of the given point where right versions lie farthest apart, in ulps."""
    rulings = [ruling for v in report.versions if (ruling := v.ruling(0))]
    if len(rulings) < 2:
        return None
    answers, given = np.array([r.yours.answer for r in rulings]), rulings[0].given
    low, high = np.min(answers, axis=0), np.max(answers, axis=0)
    pairs = zip(given.leaves, given.parts(), strict=True)
    apart = np.concatenate(
        [ulp_distance(low[p].astype(leaf.dtype), high[p].astype(leaf.dtype)) for leaf, p in pairs]
    )
    i = int(np.argmax(apart))
    if not apart[i] > 0:
        return None
    k = _leaf_of(rulings[0], i)
    where = given.paths[k] + place(index_of(given, given.paths[k], i - given.parts()[k].start))
    most = numerals.ulps(float(apart[i]))
    return _Place(f"They differ by up to {most} ulps, in {where}, as right gradients may:", 0, i)


def _leaf_of(ruling: Ruling, i: int) -> int:
    """Return the number of the leaf that an element of the vector of all belongs to."""
    return next(k for k, part in enumerate(ruling.given.parts()) if i < part.stop)


def _sentences(report: ComparisonReport) -> Iterator[str]:
    for names in report.same_mistake:
        known = [diagnosis.says for diagnosis in report[names[0]].diagnoses]
        what = f": {'; '.join(known)}" if known else ""
        yield f"{_listed(names)} make the same mistake{what}."


def _warnings(report: ComparisonReport) -> Iterator[str]:
    """Yield the warnings: of all versions once, else with the name of the version."""
    reports = {v.name: v.report for v in report.versions if v.report is not None}
    found: dict[str, list[str]] = {}
    for name, each in reports.items():
        for warning in each.warnings:
            if not _is_told(warning):
                found.setdefault(warning, []).append(name)
    texts = [
        f"Warning: {warning}" + (f" ({_listed(names)})" if len(names) < len(reports) else "")
        for warning, names in found.items()
    ]
    yield from texts[:MOST_WARNINGS]
    if len(texts) > MOST_WARNINGS:
        yield f"... and {len(texts) - MOST_WARNINGS} more warnings"


def _is_told(warning: str) -> bool:
    """Tell whether the table says it, too."""
    return " varies at the same point: " in warning


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


def _same_mistakes(versions: Sequence[Version]) -> Iterator[tuple[str, ...]]:
    """Yield the names of wrong versions that are wrong by the same numbers, two or more."""
    left = [version for version in versions if version.verdict == "disagree"]
    while left:
        first, *others = left
        alike = [other for other in others if _make_the_same(first, other)]
        if alike:
            yield first.name, *(version.name for version in alike)
        left = [version for version in others if version not in alike]


def _make_the_same(one: Version, other: Version) -> bool:
    """Tell whether two versions are wrong, and the same up to rounding, at all common points."""
    if one.report is None or other.report is None:
        return False
    both = [(one.ruling(i), other.ruling(i)) for i in range(len(one.report.trial.outcomes))]
    samples = [(sample_of(a), b.yours.answer) for a, b in both if a is not None and b is not None]
    if not samples:  # their form is wrong
        found = [
            [(f.kind, f.leaf, f.detail) for f in r.observed] for r in (one.report, other.report)
        ]
        return found[0] == found[1]
    everything = np.ones(samples[0][1].shape, dtype=bool)
    same = all(sample.explained(answer, everything) for sample, answer in samples)
    return same and any(sample.stands_out(everything) for sample, _ in samples)
