"""The sentences and numbers of a report, in order, and the blocks of others, for all formats."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from handgrad.data import numerals
from handgrad.data.findings import Diagnosis, Enclosure, Finding, LeafReport, NotJudged
from handgrad.data.numerals import place, plural, short, ulps
from handgrad.judging.judgement import Judgement

#: The verdicts of leaves, in the order of the report.
WORST_FIRST = ("disagree", "undecidable", "imprecise", "agree", "not judged")

#: Beyond this many ulps the number of right digits is shown.
MANY_ULPS = 1000

#: Beyond this many tolerances the bound of rounding is left out.
FAR_OFF = 1e6

#: The most leaves or steps to name; of more, the first ones or a range.
FEW_LEAVES = 3

#: What nothing is called where nothing is certified.
_EXACT = re.compile(r"\bexact\b(?! gelu)")


@dataclass(frozen=True)
class StepsReading:
    """What a report says of the steps of a gradient."""

    judged: int  #: how many were
    right: int  #: how many of these are
    wrong: tuple[str, ...]  #: the names of those that are not, in the order of the way back
    not_judged: tuple[NotJudged, ...]
    closer: "Reading | None"  #: the report on the first wrong step, if one is wrong


@dataclass(frozen=True)
class Reading(Judgement):
    """A judgement with its leaves, diagnoses, findings and steps: all that rendering needs."""

    leaves: tuple[LeafReport, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    cut: str = ""  #: a sentence where the search for diagnoses was cut
    findings: tuple[Finding, ...] = ()
    steps: StepsReading | None = None


@dataclass(frozen=True)
class Table:
    """Rows of cells under a head; a row that is one text is a remark on the row above."""

    rows: tuple[tuple[str, ...] | str, ...]
    head: tuple[str, ...] = ()
    right: tuple[int, ...] = ()  #: the numbers of the columns that are aligned on the right
    indent: str = ""

    @property
    def widths(self) -> list[int]:
        """The width of each column."""
        cells = [row for row in (self.head, *self.rows) if row and not isinstance(row, str)]
        return [max(map(len, column)) for column in zip(*cells, strict=True)]


@dataclass(frozen=True)
class Document:
    """Paragraphs, tables and reports on gradients, one below the other."""

    blocks: tuple[str | Table | Reading, ...]
    close: bool = False  #: whether no line is left blank between them


class Row(NamedTuple):
    """One number of the close-up."""

    who: str  #: exact, yours, autodiff
    digits: str
    same: int  #: the number of leading characters in common with the exact value
    note: str

    @property
    def shown_who(self) -> str:
        """The same, as wide as `autodiff`, also where there is none."""
        return f"{self.who:8}"


class CloseUp(NamedTuple):
    """The worst element, digit by digit."""

    title: str
    rows: list[Row]
    tolerance: str


def headline(report: Reading) -> str:
    """Return the summary line, which begins with the verdict."""
    text = report.headline
    return text if text.startswith(report.verdict) else f"{report.verdict}: {text}"


def without_verdict(report: Reading) -> str:
    """Return the summary line without the verdict."""
    return headline(report).removeprefix(report.verdict).removeprefix(":").strip()


def ordered(report: Reading) -> list[LeafReport]:
    """Sort the leaves, the worst first; those that agree keep their order."""

    def key(leaf: LeafReport) -> tuple[int, float]:
        rank = WORST_FIRST.index(leaf.verdict)
        if leaf.verdict == "agree":
            return rank, -leaf.ulps_autodiff if report.blame == "autodiff" else 0
        return rank, -_off(leaf)

    return sorted(report.leaves, key=key)


def _off(leaf: LeafReport) -> float:
    """Return the error of the worst element in sharp tolerances, as for findings."""
    gap = abs(leaf.yours - float(leaf.exact))
    return math.inf if math.isnan(gap) or not leaf.sharp else gap / leaf.sharp


def element(leaf: LeafReport) -> str:
    """Name the worst element: `params['w'][0, 1]`, or the path for a single number."""
    return leaf.path + place(leaf.index)


def close_up(report: Reading) -> CloseUp | None:
    """Return the worst element digit by digit; None if both gradients are right."""
    if not report.leaves or (report.verdict == "agree" and report.blame is None):
        return None
    leaf = ordered(report)[0]
    at = f", at point {report.point}" if report.point else ""
    return CloseUp(f"The worst element, {element(leaf)}{at}:", rows(leaf), _tolerance(leaf))


def rows(leaf: LeafReport) -> list[Row]:
    """Return the rows exact, yours and autodiff of a leaf's worst element."""
    exact = numerals.decimal("nan" if math.isinf(leaf.exact.radius) else leaf.exact.midpoint)
    first, yours, autodiff = numerals.beside(exact, [leaf.yours, leaf.autodiff], leaf.dtype)
    found = [
        Row(leaf.exact.name, first, len(first), _bar(leaf.exact)),
        row("yours", yours, first, leaf.ulps, numerals.right_digits(exact, leaf.yours)),
    ]
    if math.isnan(leaf.ulps_autodiff):
        # For a loss that JAX cannot trace there is no autodiff.
        return found
    right = numerals.right_digits(exact, leaf.autodiff)
    return [*found, row("autodiff", autodiff, first, leaf.ulps_autodiff, right)]


def _bar(exact: Enclosure) -> str:
    return "" if exact.certified else f"{exact.within.strip()}, not certified".removeprefix(", ")


def row(who: str, digits: str, exact: str, distance: float, right: int | None) -> Row:
    """Return the row of a gradient's number: its digits, and how far it is from the exact one."""
    note = "" if math.isnan(distance) else f"{ulps(distance)} ulps"
    if right and right > 0 and distance >= MANY_ULPS:
        note += f", right to about {plural(right, 'digit')}"
    return Row(who, digits, numerals.same_start(exact, digits), note)


def _tolerance(leaf: LeafReport) -> str:
    if math.isnan(leaf.sharp) or (leaf.sharp == 0 and math.isinf(leaf.loose)):
        return ""  # not known
    if leaf.verdict == "disagree" and _off(leaf) > FAR_OFF:
        return ""
    if leaf.arithmetic:
        return _of_rounding(leaf)
    text = f"Within {short(leaf.sharp, 2)} of {leaf.exact.name} is right"
    if math.isnan(leaf.loose) or not (leaf.loose or leaf.exact.certified):
        return f"{text}."
    return f"{text}; ordinary rounding may lead {short(leaf.loose, 2)} away."


def _of_rounding(leaf: LeafReport) -> str:
    """Say how an error in a short format compares with what rounding explains."""
    off, rounding = _off(leaf), f"rounding in {leaf.arithmetic}"
    if leaf.verdict != "disagree":
        return f"R{rounding[1:]} explains {short(leaf.sharp, 2)}."
    if off > 1:
        return f"That is {short(off, 2)} times what {rounding} explains, {short(leaf.sharp, 2)}."
    return f"R{rounding[1:]} explains that of one element, and not of all in one direction."


def diagnoses(report: Reading) -> list[str]:
    """Describe the kinds of mistake, a paragraph each."""
    texts = ([] if _told_by_its_step(report) else _kinds(report)) + _step(report)
    explained = {path for diagnosis in report.diagnoses for path in diagnosis.leaves}
    left = [path for path in _wrong(report) if path not in explained]
    if left and report.trial is not None and report.trial.case.claim.along_directions:
        how = report.trial.case.wording.every_element
        return [f"Where the mistake is, and of which kind, a check {how} says."]
    # What differs is a finding of values, which is their kind.
    if report.trial is not None and left and report.trial.case.claim.order:
        where = f" in {_these(left)}"
        where = where if texts else ""
        texts.append(f"Kind: unknown{where}; no kind explains all of it.")
    return [*texts, report.cut] if report.cut else texts


def _told_by_its_step(report: Reading) -> bool:
    """Tell whether one mistake explains everything, and the text on the wrong step names it."""
    closer = None if report.steps is None else report.steps.closer
    if report.steps is None or closer is None or len(report.steps.wrong) != 1:
        return False
    kinds = [d.kind for d in report.diagnoses]
    everything = all(
        len(each.diagnoses) == 1 and set(_wrong(each)) <= set(each.diagnoses[0].leaves)
        for each in (report, closer)
    )
    return everything and kinds == [d.kind for d in closer.diagnoses]


def _wrong(report: Reading) -> list[str]:
    return [leaf.path for leaf in report.leaves if leaf.verdict == "disagree"]


def _kinds(report: Reading) -> list[str]:
    texts = [_diagnosis(diagnosis, _wrong(report)) for diagnosis in report.diagnoses]
    return texts if report.certified else [_EXACT.sub("the estimate", text) for text in texts]


def _step(report: Reading) -> list[str]:
    """Describe the first wrong step of a gradient made of steps, or what is known of them."""
    if report.steps is None:
        return []
    if report.steps.closer is not None:
        return [_wrong_step(report.steps, report.steps.closer)]
    right, texts = report.steps.right, []
    if right:
        several = f"{right} steps back that were judged are"
        texts = [f"The {'step back that was judged is' if right == 1 else several} right."]
    # One sentence for all steps with the same reason.
    reasons: dict[str, list[str]] = {}
    for step in report.steps.not_judged:
        reasons.setdefault(step.reason, []).append(step.name)
    return texts + [f"{_these(names)}: not judged, {why}." for why, names in reasons.items()]


def _these(names: Iterable[str]) -> str:
    """List names, only the first ones of many."""
    first = list(names)
    return ", ".join(first[:FEW_LEAVES]) + (" ..." if first[FEW_LEAVES:] else "")


def _wrong_step(steps: StepsReading, closer: Reading) -> str:
    first, *others = steps.wrong
    which = f"is the first of its {steps.judged} steps back that is wrong"
    why = " ".join(_kinds(closer)) or _wrong_answers(closer)
    only = "is wrong, its only step that was judged"
    more = f"Also wrong: {_these(others)}." if others else ""
    return " ".join(t for t in (f"{first} {which if steps.judged > 1 else only}.", why, more) if t)


def _wrong_answers(closer: Reading) -> str:
    """Name the wrong cotangents that a step returns, if some are right."""
    wrong, leaves = _wrong(closer), [leaf.path for leaf in closer.leaves]
    if not 0 < len(wrong) < len(leaves):
        return ""
    return f"What it gives back for {', '.join(wrong)} is wrong, the rest is right."


def _diagnosis(diagnosis: Diagnosis, wrong: list[str]) -> str:
    paths = [path for path in diagnosis.leaves if path in wrong] or list(diagnosis.leaves)
    named = _these(paths)
    everywhere = set(wrong) <= set(diagnosis.leaves) and len(diagnosis.leaves) > 1
    says = diagnosis.says if everywhere or _mentions(diagnosis.says, paths[0]) else ""
    text = says or f"in {named}, {diagnosis.says}"
    kind = "" if diagnosis.kind == "unknown" else f"Kind: {diagnosis.kind}. "
    # A sentence that begins with a path gets no capital letter.
    start = text[0] if _mentions(text, paths[0], start=True) else text[0].upper()
    return f"{kind}{start}{text[1:]}."


def _mentions(text: str, path: str, start: bool = False) -> bool:
    """Tell whether a text mentions a leaf, by what follows: the leaf may be called `a` as well."""
    before, after = "^" if start else r"(?<![\w.])", r"(?=$|[\[,.;:]| (?:is|and|are|alone)\b)"
    return re.search(before + re.escape(path) + after, text) is not None


def findings(report: Reading) -> list[str]:
    """Return every finding in one sentence; for one in the headline only its kind.

    Findings on a leaf that a diagnosis explains are left out: the table shows it.
    """
    headline, news = report.headline, []
    explained = {path for diagnosis in report.diagnoses for path in diagnosis.leaves}
    told = {"unknown", *(diagnosis.kind for diagnosis in report.diagnoses)}
    for found in report.findings:
        if found.leaf in explained and found.kind in told:
            continue
        if (f": {found.leaf}: " if found.leaf else "") + found.detail not in headline:
            news.append(_finding(found))
        elif found.kind != "unknown":
            news.append(f"Kind: {found.kind}{_sure(found)}.")
    return news


def _finding(found: Finding) -> str:
    where = f" in {found.leaf}{place(found.index)}" if found.leaf else ""
    return f"{found.kind}{where}: {found.detail}{_sure(found)}"


def _sure(found: Finding) -> str:
    """Return the confidence in a kind that was inferred, else nothing."""
    inferred = found.confidence < 1 and found.kind not in ("unknown", "rounding")
    return f" (confidence {found.confidence:.2g})" if inferred else ""
