"""What the rounding of a short format, or of a kernel's arithmetic, has to do with a gradient."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from handgrad.arithmetic import balls
from handgrad.arithmetic.levels import RIGHT, WRONG
from handgrad.clock import OutOfTimeError
from handgrad.data import formats
from handgrad.data.computed_in import Arithmetic, arithmetic, described
from handgrad.data.findings import Finding
from handgrad.data.formats import Format
from handgrad.data.frames import near
from handgrad.data.numerals import plural, short
from handgrad.judging.case import Case, Wording
from handgrad.judging.outcome import Outcome
from handgrad.judging.ruling import Ruling
from handgrad.oracle.evaluate import operations
from handgrad.program.interpreter import UncertifiedPrimitiveError
from handgrad.tolerance import ranges, stated
from handgrad.tolerance.first_order import LARGE
from handgrad.tolerance.measuring import in_arithmetic

#: What a kernel may compute in without saying so, from the most exact on.
LOWER: tuple[Any, ...] = (
    "float32",
    "tf32",
    ("float16", "float32"),
    "float16",
    ("bfloat16", "float32"),
    "bfloat16",
)

#: Runs in an arithmetic are made only if a leaf is off by at most this many of its unit roundoffs,
#: and by half of its digits. It only saves runs: rounding is seldom more, what it may explain is
#: decided by the runs, and a format that is not tried is not named.
MANY_UNITS = 64


#: Arithmetic is seldom more exact than this part of its unit roundoff.
SELDOM = 1 / 64


def arithmetic_of(ruling: Ruling, leaf: np.ndarray) -> str:
    """Return in words in what a leaf of the gradient is computed; empty if in its own floats."""
    if ruling.tolerance.stated is None:
        return ""
    problem = ruling.problem
    return described(problem.computed_in) or stated.coarser(problem, leaf).name


def lower_precision(outcomes: Sequence[Outcome], deciding: int, case: Case) -> list[Finding]:
    """Return a finding if a lower precision than the stated one would explain a wrong gradient.

    It must explain every element of every point, and leave digits of every leaf. Gradients whose
    runs take long are left out.
    """
    rulings = [outcome.ruling for outcome in outcomes if outcome.ruling]
    first = outcomes[deciding].ruling
    if first is None or outcomes[deciding].findings or case.claim.along_directions:
        return []
    off = first.yours.worst > RIGHT  # or else it is the loss beside the gradient that is wrong
    if not off or not np.isfinite(first.yours.gap).all() or not _may_be_run(first):
        return []
    ordered = [first, *(ruling for ruling in rulings if ruling is not first)]
    with suppress(OutOfTimeError):  # it is a hint
        for computed_in in LOWER:
            if (other := arithmetic(computed_in)) is None:
                continue
            if _is_lower(first, other) and all(_explains(r, other, case.seed) for r in ordered):
                says = f"computing in {described(other)} would explain all of it; "
                says += f"if the code does, say {in_words(computed_in, case.wording)}"
                return [Finding("rounding", None, None, says, 0.5)]
    return []


def in_words(computed_in: str | tuple[str, str], wording: Wording) -> str:
    """Return how a caller states what is computed in."""
    names = (computed_in,) if isinstance(computed_in, str) else computed_in
    return wording.computed_in.format(computed_in, ",".join(names))


def _may_be_run(ruling: Ruling) -> bool:
    program = ruling.problem.traced.gradient
    if program is None or not program.jaxpr.jaxpr.invars or not ruling.reference.known.all():
        return False
    return operations(program) < LARGE and ruling.reference.certified


def _is_lower(ruling: Ruling, other: Arithmetic) -> bool:
    """Tell whether an arithmetic is lower than that by which was ruled, and yours near enough."""
    given, problem = ruling.given, ruling.problem
    finest = min((formats.of(leaf.dtype) for leaf in given.leaves), key=lambda f: f.unit)
    if finest.name == "float64" and other != arithmetic("float32"):
        return False  # kernels of these formats get no float64
    now = problem.computed_in.units if problem.computed_in else (0.0, 0.0)
    unit, sums = other.units
    least = max(finest.unit, now[0])
    if unit < least or (unit == least and not (problem.computed_in and sums > now[1])):
        return False
    wrong = [part for part in given.parts() if not ruling.yours.explained[part].all()]
    if not all(_off(ruling, part, SELDOM * unit) > 0.5 for part in wrong):
        return False  # which would leave more than a few elements off
    distance = max((_distance(ruling, part) for part in given.parts()), default=0.0)
    return distance <= min(MANY_UNITS * unit, float(np.sqrt(2 * unit)))


def _off(ruling: Ruling, part: slice, least: float) -> float:
    """Return the part of a leaf's elements that are off by more than this, relatively."""
    return float(np.mean(ruling.yours.gap[part] > least * ruling.yours.size[part]))


def _distance(ruling: Ruling, part: slice) -> float:
    """Return the error of a leaf relative to it, in the root mean square."""
    return _norm(ruling.yours.gap[part], ruling.yours.size[part])


def _norm(gap: np.ndarray, size: np.ndarray) -> float:
    """Return |gap| / |size|, in the Euclidean norm; 0 where there is nothing."""
    largest = float(np.max(size, initial=0.0))
    if not largest:
        return 0.0
    with np.errstate(over="ignore"):
        return float(np.linalg.norm(gap / largest) / np.linalg.norm(size / largest))


def _explains(ruling: Ruling, other: Arithmetic, seed: int) -> bool:
    problem = replace(ruling.problem, computed_in=other)
    try:
        found = in_arithmetic(problem, ruling.reference, seed)
    except UncertifiedPrimitiveError:
        return False
    if not np.isfinite(found.error).all():
        return False
    tolerance = replace(ruling.tolerance, stated=found)
    for part in ruling.given.parts():
        distance = _norm(found.error[part], ruling.yours.size[part])
        if distance > found.fraction[part].max(initial=0.0):
            return False  # which would explain anything
    return ruling.worst_of(ruling.yours.answer, tolerance) == RIGHT


def zeros(outcomes: Sequence[Outcome], deciding: int) -> Iterator[str]:
    """Say of which leaves elements are 0 since the format has no numbers so small."""
    ruling = outcomes[deciding].ruling
    if ruling is None:
        return
    exact = np.abs(balls.midpoints(ruling.yours.reference))
    pairs = zip(ruling.given.paths, ruling.given.leaves, ruling.given.parts(), strict=True)
    for path, leaf, part in pairs:
        form = formats.of(leaf.dtype)
        gone = (ruling.yours.answer[part] == 0) & (exact[part] > 0) & (exact[part] < form.subnormal)
        if form.half and gone.any():
            count = f"{int(gone.sum())} of {plural(leaf.size, 'element')} of {path}"
            largest = short(float(exact[part][gone].max()), 2)
            yield (
                f"{count} are 0, where the exact values, up to {largest}, are below the smallest "
                f"number of {form.name}, {short(form.subnormal, 2)}; a scaled loss would keep them"
            )


def out_of_range(ruling: Ruling, infinite: bool) -> str:
    """Say which intermediate result may be why yours is not finite, or is 0; else nothing.

    That is told where the same intermediate of JAX's program is beyond the range of its format; or
    would be too large for that of the leaves, and yours is 0 as what is divided by infinity.
    """
    if ruling.tolerance.stated is None:
        return ""
    found, how = None, ""
    with suppress(OutOfTimeError):  # it is a hint
        large, small = ranges.beyond(ruling.problem)
        found = large if infinite else small
        if found is None and not infinite and (found := _too_large_in_short(ruling)):
            how = f"computed in {found.form.name} throughout, "
    if found is None:
        return ""
    form, where = found.form, ""
    if found.source is not None:
        where = f" ({near(found.source.file)}, line {found.source.line})"
    limit = form.largest if found.overflows else form.subnormal
    what = "the largest" if found.overflows else "the smallest"
    return (
        f"; {how}an intermediate result is {short(found.value, 2)}, beyond {what} number of "
        f"{form.name}, {short(limit, 6 if found.overflows else 2)}{where}"
    )


def overflown(ruling: Ruling) -> np.ndarray:
    """Return the elements, bool, that are 0 since something overflowed in a short format.

    That is no rounding, though the formula is right in exact arithmetic: yours is 0 in all of a
    leaf, by more than rounding explains, and values between operations in the leaf's format would
    overflow. Single zeros, of a sigmoid far from 0, are left to what reruns show.
    """
    yours, found = ruling.yours, np.zeros(ruling.given.size, dtype=bool)
    if ruling.tolerance.stated is None:
        return found
    exact = ruling.exact
    for leaf, part in zip(ruling.given.leaves, ruling.given.parts(), strict=True):
        gone = (yours.answer[part] == 0) & (exact[part] != 0)
        all_gone = not (yours.answer[part] != 0).any() and gone.any()
        if formats.is_half(leaf.dtype) and all_gone:
            found[part] = gone & (yours.level[part] == WRONG)
    if found.any() and _too_large_in_short(ruling) is None:
        found[:] = False
    return found


def _too_large_in_short(ruling: Ruling) -> ranges.Beyond | None:
    """Return the first result that overflows where all values are in the format of the leaves."""
    problem = ruling.problem
    return ranges.beyond(replace(problem, computed_in=stated.short(problem)))[0]


def beyond(path: str, value: float, form: Format) -> str:
    """Say that an exact value is beyond the range of a format."""
    return (
        f"the exact gradient of {path} is {short(value, 3)}, beyond {form.name}'s largest number, "
        f"{short(form.largest, 6)}"
    )
