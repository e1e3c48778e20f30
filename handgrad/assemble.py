"""From outcomes to the report: the verdict, the blame, the findings, every leaf's worst element."""

import decimal
from collections.abc import Sequence
from typing import Any

import numpy as np

from handgrad.arguments import Arguments
from handgrad.exact import enclosure
from handgrad.judge import Case, Outcome
from handgrad.referee import balls
from handgrad.referee.custom import broken_rules
from handgrad.report import Enclosure, Finding, GradientReport, LeafReport
from handgrad.ruling import DOUBTFUL, RIGHT, ROUNDED, VERDICT, WRONG, Ruling, Witness


def report(
    case: Case, outcomes: Sequence[Outcome], asked: int | None, reproduce: str, strict: bool
) -> GradientReport:
    """The report on all points that were tried; the first one is the caller's own."""
    i = _decisive(outcomes)
    deciding = outcomes[i]
    verdict, blame = _verdict(deciding, outcomes)
    findings = _findings(deciding, case)
    ruling = deciding.ruling
    judged = sum(outcome.ruling is not None for outcome in outcomes)
    return GradientReport(
        verdict=verdict,
        blame=blame,
        headline=_headline(verdict, blame, deciding, i, findings, judged),
        findings=findings,
        leaves=_leaves(ruling) if ruling else (),
        warnings=tuple(_warnings(outcomes, i, asked)),
        certificate=_certificate(outcomes),
        reproduce=reproduce,
        points=judged,
        dropped=sum(outcome.dropped for outcome in outcomes),
        point=i,
        params=deciding.given.params,
        strict=strict,
    )


def _decisive(outcomes: Sequence[Outcome]) -> int:
    """The caller's point, unless it is another one at which the gradient is wrong."""
    wrong = [i for i, outcome in enumerate(outcomes) if _is_wrong(outcome)]
    return wrong[0] if wrong else 0


def _is_wrong(outcome: Outcome) -> bool:
    by_element = outcome.ruling is not None and outcome.ruling.yours.worst == WRONG
    return bool(outcome.findings) or by_element or _wrong_value(outcome)


def _wrong_value(outcome: Outcome) -> bool:
    return outcome.value is not None and not outcome.value[0] <= outcome.value[1]


def _verdict(deciding: Outcome, outcomes: Sequence[Outcome]) -> tuple[str, str | None]:
    ruling = deciding.ruling
    theirs = ruling.autodiff.worst if ruling else RIGHT
    anywhere = max((o.ruling.autodiff.worst for o in outcomes if o.ruling), default=RIGHT)
    theirs = max(theirs, anywhere) if anywhere == WRONG else theirs
    if _is_wrong(deciding):
        return "disagree", "both" if theirs == WRONG and ruling else "yours"
    if ruling is None:
        return "undecidable", None
    mine = ruling.yours.worst
    if mine == RIGHT:
        return "agree", "autodiff" if theirs > RIGHT else None
    return VERDICT[mine], "both" if theirs > RIGHT else "yours"


def _findings(deciding: Outcome, case: Case) -> tuple[Finding, ...]:
    found = list(deciding.findings)
    if _wrong_value(deciding) and deciding.value:
        _, _, value, exact = deciding.value
        what = f"the loss returned with the gradient is {value!r}, exactly it is {exact}"
        found.append(Finding("loss-value", None, None, what, 1.0))
    if deciding.ruling:
        found += _of_elements(deciding.ruling)
        found += _of_autodiff(deciding.ruling, case)
        found += _of_convention(deciding.ruling)
    return tuple(found)


def _of_elements(ruling: Ruling) -> list[Finding]:
    found = []
    for path, part in zip(ruling.given.paths, ruling.given.parts(), strict=True):
        levels = ruling.yours.level[part]
        if levels.size and levels.max() > RIGHT:
            found.append(_of_leaf(ruling, path, part))
    return found


def _of_leaf(ruling: Ruling, path: str, part: slice) -> Finding:
    yours, level = ruling.yours, int(ruling.yours.level[part].max())
    i = worst_element(ruling, part)
    index = _index(ruling.given, path, i - part.start)
    answer, exact = float(yours.answer[i]), right_value(ruling, i)
    off = int((yours.level[part] == level).sum())
    where = f"{off} of {part.stop - part.start} elements, worst at {list(index)}: " if index else ""
    if level == WRONG and not np.isfinite(answer):
        what = f"{where}yours is {answer}, exactly it is {shown(exact)}"
        return Finding("non-finite", path, index, what, 1.0)
    if level == WRONG:
        wrong = yours.level[part] == WRONG
        kind = "zero" if (yours.answer[part][wrong] == 0).all() else "unknown"
        what = f"{where}yours is {answer!r}, exactly it is {shown(exact)}"
        return Finding(kind, path, index, what, 1.0 if kind == "zero" else 0.0)
    size = abs(float(exact)) or 1.0
    digits = max(0, round(-np.log10(yours.gap[i] / size))) if 0 < yours.gap[i] < size else 0
    if level == ROUNDED:
        what = f"{where}the formula is right, {digits} digits of it are left"
        return Finding("rounding", path, index, what, 1.0)
    what = (
        f"{where}{digits} digits are right; rounding may cost as much as that here, so this "
        "precision cannot decide"
    )
    return Finding("rounding", path, index, what, 0.5)


def _of_autodiff(ruling: Ruling, case: Case) -> list[Finding]:
    """A custom rule that is not the derivative of its function."""
    if ruling.autodiff.worst < WRONG or case.autodiff is not None:
        return []
    names = broken_rules(ruling.problem, ruling.truth)
    if not names:
        return []
    what = (
        f"the custom derivative rule of {', '.join(names)} is not the derivative of its "
        "function; if that is intended, declare it with trust_rules"
    )
    return [Finding("unknown", None, None, what, 1.0)]


def _of_convention(ruling: Ruling) -> list[Finding]:
    if ruling.truth.kink is None or ruling.yours.choices is None:
        return []
    if ruling.yours.worst > RIGHT or not differs_at_kink(ruling):
        return []
    choices = ", ".join(f"{c:.3g}" for c in ruling.yours.choices[:8])
    what = (
        "the loss has a kink at this point, where more than one gradient is right; yours is one of "
        f"them (λ = {choices}), autodiff answers another"
    )
    return [Finding("convention", None, None, what, 1.0)]


def differs_at_kink(ruling: Ruling) -> bool:
    """Whether the two witnesses made different choices at a kink."""
    gap = np.abs(ruling.yours.answer - ruling.autodiff.answer)
    return bool((~(gap <= ruling.yardsticks.sharp)).any())


def worst_element(ruling: Ruling, part: slice) -> int:
    """The element of a leaf that fares worst: by level, then by distance in yardsticks."""
    allowed = np.maximum(ruling.yardsticks.sharp, np.finfo(float).smallest_subnormal)
    with np.errstate(over="ignore", invalid="ignore"):
        distance = np.maximum(ruling.yours.gap, 0) / allowed
    distance = np.where(np.isnan(distance), np.inf, distance)
    order = np.lexsort((distance[part], ruling.yours.level[part]))
    return part.start + int(order[-1])


def _leaves(ruling: Ruling) -> tuple[LeafReport, ...]:
    given = ruling.given
    return tuple(
        _leaf(ruling, path, leaf, part)
        for path, leaf, part in zip(given.paths, given.leaves, given.parts(), strict=True)
    )


def _leaf(ruling: Ruling, path: str, leaf: np.ndarray, part: slice) -> LeafReport:
    if not leaf.size:
        return _empty(path, leaf)
    i = worst_element(ruling, part)
    limits = ruling.limits[part][np.isfinite(ruling.limits[part])]
    return LeafReport(
        path=path,
        shape=leaf.shape,
        dtype=leaf.dtype.name,
        verdict=VERDICT[int(ruling.yours.level[part].max())],
        index=_index(given=ruling.given, path=path, i=i - part.start),
        yours=float(ruling.yours.answer[i]),
        autodiff=float(ruling.autodiff.answer[i]),
        exact=right_value(ruling, i),
        ulps=ulps(ruling.yours, i, leaf.dtype),
        ulps_autodiff=ulps(ruling.autodiff, i, leaf.dtype),
        sharp=float(ruling.yardsticks.sharp[i]),
        loose=float(ruling.yardsticks.loose[i]),
        detection_limit=float(np.max(limits, initial=0.0)),
        elements=leaf.size,
        judged=int(ruling.truth.known[part].sum()),
    )


def _empty(path: str, leaf: np.ndarray) -> LeafReport:
    nothing = Enclosure("0", 0.0)
    numbers = (0.0, 0.0, nothing, 0.0, 0.0, 0.0, 0.0, 0.0)
    return LeafReport(path, leaf.shape, leaf.dtype.name, "agree", (), *numbers, 0, 0)


def ulps(witness: Witness, i: int, dtype: Any) -> float:
    """|answer - exact| / ulp(exact), in the format of the parameters."""
    with np.errstate(over="ignore"):
        exact = dtype.type(balls.midpoints(witness.truth[i : i + 1])[0])
    with np.errstate(over="ignore", invalid="ignore"):
        return float(witness.gap[i] / np.float64(np.spacing(np.abs(exact))))


def right_value(ruling: Ruling, i: int) -> Enclosure:
    """The right value of one element."""
    return enclosure(ruling.yours.truth[i], ruling.truth.bits, ruling.truth.certified)


def shown(exact: Enclosure) -> str:
    """A right value in as many digits as tell it from any float."""
    return f"{decimal.Decimal(exact.midpoint):.17g}"


def _index(given: Arguments, path: str, i: int) -> tuple[int, ...]:
    shape = given.leaves[given.paths.index(path)].shape
    return tuple(int(j) for j in np.unravel_index(i, shape)) if shape else ()


def _certificate(outcomes: Sequence[Outcome]) -> str:
    for outcome in outcomes:
        if outcome.ruling:
            return outcome.ruling.truth.how
    return "nothing was judged"


def _warnings(outcomes: Sequence[Outcome], deciding: int, asked: int | None) -> list[str]:
    rulings = [o.ruling for i, o in enumerate(outcomes) if o.ruling and i != deciding]
    warnings = []
    lost = sum(r.yours.worst == ROUNDED for r in rulings)
    if lost:
        warnings.append(
            f"digits are lost to rounding at {lost} of {len(outcomes) - 1} other points"
        )
    doubtful = sum(r.yours.worst == DOUBTFUL for r in rulings)
    doubtful += sum(o.cause is not None and not o.dropped for o in outcomes[1:])
    if doubtful:
        warnings.append(f"undecidable at {doubtful} of {len(outcomes) - 1} other points")
    dropped = sum(o.dropped for o in outcomes[1:])
    if dropped:
        warnings.append(f"{dropped} of {len(outcomes) - 1} other points left out: loss not finite")
    if asked is not None and len(outcomes) <= asked and not outcomes[deciding].findings:
        warnings.append(f"time ran out after {len(outcomes) - 1} of {asked} other points")
    theirs = sum(r.autodiff.worst in (ROUNDED, DOUBTFUL) for r in rulings)
    if theirs:
        warnings.append(f"autodiff loses digits at {theirs} of {len(outcomes) - 1} other points")
    return warnings + _uncertain(outcomes)


def _uncertain(outcomes: Sequence[Outcome]) -> list[str]:
    for outcome in outcomes:
        if outcome.ruling and not outcome.ruling.truth.certified:
            return [outcome.ruling.truth.how]
        if outcome.ruling and not outcome.ruling.truth.known.all():
            known = outcome.ruling.truth.known
            return [f"{int(known.sum())} of {known.size} elements judged, drawn at random"]
    return []


def _headline(
    verdict: str,
    blame: str | None,
    deciding: Outcome,
    i: int,
    findings: tuple[Finding, ...],
    judged: int,
) -> str:
    where = f" at point {i}" if i else ""
    if verdict == "agree":
        count = f"{judged} points" if judged != 1 else "1 point"
        what = f"every element is right at the given point, {count} judged"
        return f"agree: {what}" + ("; autodiff is off" if blame == "autodiff" else "")
    if deciding.ruling is None and not findings:
        return f"undecidable: {deciding.cause}"
    worst = findings[0] if findings else None
    leaf = f"{worst.leaf}: " if worst and worst.leaf else ""
    whose = {"yours": "", "both": ", and so is autodiff", "autodiff": "", None: ""}[blame]
    return f"{verdict}{where}: {leaf}{worst.detail if worst else ''}{whose}"
