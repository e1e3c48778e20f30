"""The findings in sentences: what is wrong, where, and with which of the two gradients."""

import decimal

import numpy as np
from flint import arb

from handgrad.arithmetic.levels import RIGHT, ROUNDED, WRONG
from handgrad.data import formats
from handgrad.data.findings import Enclosure, Finding
from handgrad.data.numerals import plural
from handgrad.data.point import index_of
from handgrad.judging import short_formats
from handgrad.judging.case import Case
from handgrad.judging.outcome import Outcome
from handgrad.judging.reruns import in_float32
from handgrad.judging.ruling import Ruling
from handgrad.judging.witness import RIGHT_FORMULA, UNTOLD
from handgrad.oracle.custom_rules import broken_rules
from handgrad.oracle.enclosures import enclosure


def findings(deciding: Outcome, case: Case) -> tuple[Finding, ...]:
    """Return all findings at the deciding point."""
    found = list(deciding.findings)
    if deciding.value and not deciding.value.right:
        value = deciding.value
        certified = deciding.ruling is None or deciding.ruling.reference.certified
        itself = "exactly it is" if certified else "and by itself"
        what = f"the loss beside the gradient is {value.yours!r}, {itself} {value.exact!r}"
        found.append(Finding("loss-value", None, None, what, 1.0))
    if deciding.ruling:
        found += _of_elements(deciding.ruling, case)
        found += _of_autodiff(deciding.ruling, case)
        found += _of_convention(deciding.ruling)
    found += deciding.shorter
    return tuple(found)


def _of_elements(ruling: Ruling, case: Case) -> list[Finding]:
    """Return one finding for each leaf that is not right, the worst first."""
    wrong = (ruling.yours.level == WRONG) & np.isfinite(ruling.yours.answer)
    # Zeros among other wrong numbers may be those of inactive units.
    kind = "zero" if (ruling.yours.answer[wrong] == 0).all() else "unknown"
    kind = "loss-value" if case.claim.order == 0 else kind
    found = []
    for path, part in zip(ruling.given.paths, ruling.given.parts(), strict=True):
        if part.start < part.stop and ruling.yours.level[part].max() > RIGHT:
            i = worst_element(ruling, part)
            badness = ruling.yours.level[i], distances(ruling)[i]
            found.append((badness, _of_leaf(ruling, case, path, part, kind)))
    return [finding for _, finding in sorted(found, key=lambda pair: pair[0], reverse=True)]


def _of_leaf(ruling: Ruling, case: Case, path: str, part: slice, kind: str) -> Finding:
    yours, level = ruling.yours, int(ruling.yours.level[part].max())
    i = worst_element(ruling, part)
    index = index_of(ruling.given, path, i - part.start)
    answer, exact = float(yours.answer[i]), right_value(ruling, i)
    digits = formats.of(ruling.given.leaves[ruling.given.paths.index(path)].dtype).shown
    both = f"yours is {_in_digits(answer, digits)}, {right_is(exact, digits)}"
    off = int((yours.level[part] == level).sum())
    worst = f"{off} of {part.stop - part.start} elements, worst {case.claim.place(index)}: "
    where = worst if index else ""
    if level == WRONG and not np.isfinite(answer):
        what = where + both
        what += short_formats.out_of_range(ruling, infinite=True)
        return Finding("non-finite", path, index, what, 1.0)
    if level == WRONG:
        what = where + both
        if answer == 0:
            what += f": {remark}" if (remark := case.claim.remark(path)) else ""
            what += short_formats.out_of_range(ruling, infinite=False)
        return Finding(kind, path, index, what, 0.0 if kind == "unknown" else 1.0)
    if level == ROUNDED:
        return Finding("rounding", path, index, where + digits_left(ruling, case, path), 1.0)
    if not ruling.reference.certified and (yours.vague[i] or _near(ruling, i)):
        why = "which is not known well enough to decide"
        if _near(ruling, i):
            why = "which may be as far off if the loss approximates, by a solver or a quadrature; "
            why += "a tighter tolerance there decides"
        what = f"{where}{both}, {why}"
        return Finding("unknown", path, index, what, 0.5)
    if yours.vague[i]:
        what = (
            f"{where}{both}; but the loss stops an "
            f"iteration at a tolerance, and going on may change it by "
            f"{ruling.left_out[i]:.2g}, so what is right cannot be decided"
        )
        return Finding("unknown", path, index, what, 0.5)
    if ruling.shown is not None and ruling.shown[i] == UNTOLD:
        what = (
            f"{where}{both}; that may be a wrong formula, or what "
            "the code that yours calls loses by rounding; which of the two cannot be told, since "
            "it cannot be rerun in longer numbers"
        )
        return Finding("unknown", path, index, what, 0.5)
    cost = "rounding may cost as much as that here, so this precision cannot decide"
    if np.isinf(ruling.tolerance.jump[i]) and not ruling.reference.known.all():
        cost = (
            "there was no time to measure what rounding costs, and no rerun at another precision "
            "shows whether this is more"
        )
    elif ruling.tolerance.jump[i] >= yours.gap[i] > ruling.tolerance.loose[i]:
        turn = "rounding may turn a comparison in the loss here, which costs as much as that"
        cost = f"{turn}, so this precision cannot decide"
    digits = plural(_right_digits(ruling, i), "digit")
    what = f"{where}{digits} {'is' if digits == '1 digit' else 'are'} right; {cost}"
    return Finding("rounding", path, index, what, 0.5)


def digits_left(ruling: Ruling, case: Case, path: str) -> str:
    """Say how many digits rounding leaves of a leaf whose formula is right.

    In a short format that is only known if a rerun has shown it: its rounding may explain as much
    as a mistake makes.
    """
    yours, part = ruling.yours, ruling.given.parts()[ruling.given.paths.index(path)]
    if ruling.like_float32(part) and in_float32(case, ruling.given)[part].any():
        digits = int(-np.log10(np.max(yours.gap[part] / yours.size[part])))
        return f"right to {digits} digits everywhere, as float32 arithmetic would be"
    i = worst_element(ruling, part)
    left = plural(_right_digits(ruling, i), "digit")
    are = "is" if left == "1 digit" else "are"
    if ruling.tolerance.stated is not None and not _shown_right(ruling, i):
        leaf = ruling.given.leaves[ruling.given.paths.index(path)]
        how = short_formats.arithmetic_of(ruling, leaf)
        return f"{left} {are} right; rounding in {how} may cost as much as that"
    return f"the formula is right, {left} of it {are} left"


def _near(ruling: Ruling, i: int) -> bool:
    """Tell whether an estimate is known well, and yours off by as little as it may mean."""
    gap, tolerance = ruling.yours.gap[i], ruling.tolerance
    return bool(np.isfinite(gap) and tolerance.sharp[i] < gap <= tolerance.jump[i])


def _shown_right(ruling: Ruling, i: int) -> bool:
    return ruling.shown is not None and ruling.shown[i] == RIGHT_FORMULA


def _right_digits(ruling: Ruling, i: int) -> int:
    """Return how many digits of an element are right."""
    gap, size = ruling.yours.gap[i], abs(float(right_value(ruling, i))) or 1.0
    return max(0, round(-np.log10(gap / size))) if 0 < gap < size else 0


def _of_autodiff(ruling: Ruling, case: Case) -> list[Finding]:
    """Report custom rules that are not the derivative of their functions."""
    if ruling.autodiff.worst < WRONG or case.autodiff is not None:
        return []
    if not ruling.reference.certified:
        return []  # the rule's own function is not looked into
    names = broken_rules(ruling.problem, ruling.reference, ruling.left_out)
    if not names:
        return []
    what = (
        f"the custom derivative rule of {', '.join(names)} is not the derivative of its "
        f"function; if that is intended, declare it with {case.wording.trust_rules}"
    )
    return [Finding("unknown", None, None, what, 1.0)]


def _of_convention(ruling: Ruling) -> list[Finding]:
    if ruling.reference.kink is None or ruling.yours.choices is None:
        return []
    if ruling.yours.worst > RIGHT or not differs_at_kink(ruling):
        return []
    # λ is how far each tie lies between its two one-sided derivatives, or for nested ties the
    # weight of each gradient that meets here; rounded, so that a 0 with rounding error reads 0.
    choices = ", ".join(f"{round(float(c), 12):.3g}" for c in ruling.yours.choices[:8])
    has_autodiff = not np.isnan(ruling.autodiff.gap).any()
    what = (
        "the loss has a kink at this point, where more than one gradient is right; yours is one of "
        f"them (λ = {choices}){', autodiff answers another' if has_autodiff else ''}"
    )
    return [Finding("convention", None, None, what, 1.0)]


def differs_at_kink(ruling: Ruling) -> bool:
    """Tell whether the two gradients are different subgradients at a kink."""
    gap = np.abs(ruling.yours.answer - ruling.autodiff.answer)
    return bool((~(gap <= ruling.tolerance.sharp)).any())


def worst_element(ruling: Ruling, part: slice) -> int:
    """Return the worst element of a leaf: by level, then by error in tolerances."""
    order = np.lexsort((distances(ruling)[part], ruling.yours.level[part]))
    return part.start + int(order[-1])


def distances(ruling: Ruling) -> np.ndarray:
    """Return the error of each element in sharp tolerances; -1 if it was not judged."""
    allowed = np.maximum(ruling.tolerance.sharp, np.finfo(float).smallest_subnormal)
    with np.errstate(over="ignore", invalid="ignore"):
        distance = np.maximum(ruling.yours.gap, 0) / allowed
    distance = np.where(np.isnan(distance), np.inf, distance)
    return np.where(ruling.reference.known, distance, -1.0)


def right_value(ruling: Ruling, i: int) -> Enclosure:
    """Return the exact value of one element, or an estimate and what the judge allows it."""
    reference, ball = ruling.reference, ruling.yours.reference[i]
    if not reference.certified:
        bars = np.broadcast_to(ruling.tolerance.bar, reference.gradient.shape)
        ball = arb(ball.mid(), float(bars[i]))
    return enclosure(ball, reference.bits, reference.certified)


def right_is(exact: Enclosure, digits: int) -> str:
    """Say what an element is in so many digits: exactly, or by an estimate."""
    right = f"{decimal.Decimal(exact.midpoint):.{digits}g}"
    how = "exactly" if exact.certified else "by an estimate"
    return f"{how} it is {right}{exact.within}"


def _in_digits(value: float, digits: int) -> str:
    """Write a float as Python does, or in fewer digits if its format has fewer."""
    return min(repr(value), repr(float(f"{value:.{digits}g}")), key=len)
