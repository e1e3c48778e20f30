"""One of several versions of a gradient, and what shows when they are laid side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from handgrad.data import numerals
from handgrad.data.findings import LeafReport
from handgrad.data.numerals import place
from handgrad.data.point import index_of
from handgrad.data.ulps import ulp_distance
from handgrad.diagnosis.samples import sample_of
from handgrad.judging.findings import digits_left, right_value
from handgrad.judging.ruling import Ruling
from handgrad.judging.verdict import ulps
from handgrad.render import Table, content
from handgrad.report import GradientReport
from handgrad.reports import Named


@dataclass(frozen=True)
class Version(Named):
    """One version of a gradient; true exactly if it passes."""

    name: str  #: as given
    report: GradientReport | None  #: None if it raised at the given point
    raised: str | None = None  #: what it raised there, in one line

    @property
    def worst(self) -> LeafReport | None:
        """The leaf with its worst element; None if it has not the form of a gradient."""
        if self.report is None or not self.report.leaves:
            return None
        return content.ordered(self.report.reading)[0]

    def ruling(self, point: int) -> Ruling | None:
        """Return what was ruled at a point, by its number; None if nothing was."""
        trial = None if self.report is None else self.report.trial
        outcomes = () if trial is None else trial.outcomes
        return outcomes[point].ruling if point < len(outcomes) else None


def row(version: Version) -> tuple[str, ...]:
    """Return the cells of a version in the table."""
    if version.report is None:
        return version.name, version.verdict, "", "", version.raised or ""
    leaf, what = version.worst, "; ".join(_in_short(version, version.report))
    if leaf is None:
        return version.name, version.verdict, "", "", what
    return version.name, version.verdict, content.element(leaf), content.rows(leaf)[1].note, what


def _in_short(version: Version, report: GradientReport) -> Iterator[str]:
    """Say what is known of a version's mistake, and whether it varies."""
    known = content.diagnoses(report.reading) if report.verdict == "disagree" else []
    if report.verdict in ("undecidable", "disagree"):
        yield known[0] if known else content.without_verdict(report.reading)
    elif report.verdict == "imprecise" and report.observed:
        yield _lost(version, report)
    if report.trial is not None and report.trial.varies is not None:
        yield f"varies: {report.trial.varies}"


def _lost(version: Version, report: GradientReport) -> str:
    """Say how many digits are left; where that is the table says."""
    leaf, ruling = version.worst, version.ruling(report.point)
    if leaf is None or ruling is None or leaf.verdict != "imprecise":
        return report.observed[0].detail
    return digits_left(ruling, report.trial.case, leaf.path)


class _Place(NamedTuple):
    title: str
    point: int
    i: int  #: the number of the element in a vector of all


def close_up(versions: Sequence[Version]) -> Iterator[str | Table]:
    """Show one element by all versions: the worst of one that fails, or where they differ most."""
    at = _of_the_first_failing(versions) or _where_they_differ(versions)
    if at is None:
        return
    found = [(v.name, ruling) for v in versions if (ruling := v.ruling(at.point))]
    first = found[0][1]
    leaf = first.given.leaves[_leaf_of(first, at.i)]
    witnesses = [(name, ruling.yours) for name, ruling in found]
    if not np.isnan(first.autodiff.answer[at.i]):
        witnesses.append(("autodiff", first.autodiff))
    right_one = right_value(first, at.i)
    exact = numerals.decimal(right_one.midpoint)
    values = [float(witness.answer[at.i]) for _, witness in witnesses]
    text, *digits = numerals.beside(exact, values, leaf.dtype.name)
    rows = [(right_one.name, text, right_one.within.strip())]
    for (name, witness), value, shown in zip(witnesses, values, digits, strict=True):
        right = numerals.right_digits(exact, value)
        row = content.row(name, shown, text, ulps(witness, at.i, leaf.dtype), right)
        rows.append((name, shown, row.note))
    yield at.title
    yield Table(tuple(rows), indent="  ")


def _of_the_first_failing(versions: Sequence[Version]) -> _Place | None:
    for version in versions:
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


def _where_they_differ(versions: Sequence[Version]) -> _Place | None:
    """Return the element of the given point where right versions lie farthest apart, in ulps."""
    rulings = [ruling for v in versions if (ruling := v.ruling(0))]
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


def same_mistakes(versions: Sequence[Version]) -> Iterator[tuple[str, ...]]:
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
