"""The kinds of mistake that show in the numbers of a gradient; a new kind is a function and a row.

A function takes the evidence and the elements to explain, and proposes theories fitted to the first
points. A theory is accepted only if fresh points confirm it.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from handgrad.data.numerals import short
from handgrad.diagnosis import factors
from handgrad.diagnosis.conjugates import conjugates
from handgrad.diagnosis.engine import Engine
from handgrad.diagnosis.other_losses import one_cotangent
from handgrad.diagnosis.rearranged import (
    PLAUSIBLE,
    exchanged_elements,
    exchanged_leaves,
    moved,
    multiple,
    reordered,
    reversed_axes,
    transposed,
)
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.theory import Theory
from handgrad.diagnosis.wording import element, shortened

#: A nameless factor within this distance of 1 is not believed if other leaves are wrong too: then
#: their mistake looks like a factor here, as the decay of an updated parameter does.
NEAR_ONE = 0.1

#: The sentences about a symmetric matrix.
HALF_FILLED = "only half of a symmetric matrix is filled"
OFF_TWICE = (
    "yours is exact, twice off the diagonal: the derivative by one of two elements that are "
    "equal in a symmetric matrix"
)

#: How a leaf that is a single number is called.
ONE_NUMBER = "yours"

#: (evidence, elements) -> theories about these elements.
Proposes = Callable[[Evidence, np.ndarray], Iterator[Theory]]


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> float | None:
    """Return the median of the finite quotients; None if there is none."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratios = numerator / denominator
    ratios = ratios[np.isfinite(ratios)]
    return float(np.median(ratios)) if ratios.size else None


def _factor(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose yours = c · exact in every wrong element, with c = -1, 0, or any factor."""
    first = evidence.fit[0]
    wrong = evidence.wrong & within
    c = ratio(first.yours[wrong & first.wrong], first.exact[wrong & first.wrong])
    if c is None:
        return
    subject, partly = _subject(evidence, within, wrong)
    near = factors.likely(c, evidence.given)
    written = factors.written(c, evidence.given)
    for value in dict.fromkeys((*near, float(np.round(c)), written, c)):
        # Checked first, since finding a name may take longer than all else.
        if not first.explained(multiple(value, wrong)(first), within):
            continue
        kind = {-1.0: "sign", 0.0: "zero"}.get(value, "factor")
        nameless = kind == "factor" and evidence.name(value) is None
        if value != 1 and not (partly and nameless):
            says = _said(kind, value, subject, evidence)
            beside = (evidence.wrong & ~within).any()
            odd = nameless and beside and abs(value - 1) < NEAR_ONE
            vague = kind == "factor" and (odd or _may_be_a_term(evidence, wrong, nameless))
            yield Theory("unknown" if vague else kind, says, multiple(value, wrong))


def _may_be_a_term(evidence: Evidence, wrong: np.ndarray, nameless: bool) -> bool:
    """Tell whether a missing term or input would look the same as a factor.

    A single number may lack an input that is a factor of it, since inputs are the same at all
    points; rows of a table that are looked up twice may lack one of two equal terms.
    """
    if nameless and wrong.sum() == 1:
        return True
    leaves = zip(evidence.given.parts(), evidence.given.leaves, strict=True)
    return any(_partly(evidence, wrong, part) for part, leaf in leaves if leaf.ndim > 1)


def _said(kind: str, value: float, subject: str, evidence: Evidence) -> str:
    if kind == "factor":
        named = evidence.name(value)
        scaled = factors.scaled(value) if named is None and subject == "every element" else ""
        return f"{subject} is {factors.part(value, named, 'exact')}{scaled}"
    # "in", since "params['b'] is 0" could be read as the parameter being 0.
    where = "" if subject == ONE_NUMBER else f" in {subject}"
    return f"yours {'is 0' if kind == 'zero' else 'has the wrong sign'}{where}"


def _subject(evidence: Evidence, within: np.ndarray, wrong: np.ndarray) -> tuple[str, bool]:
    """Name the wrong elements, and tell whether they are only some of those that can be wrong."""
    given, count = evidence.given, int(wrong.sum())
    if any(_partly(evidence, wrong, part) for part in given.parts()):
        one = element(evidence.given, int(np.argmax(wrong)))
        return (one if count == 1 else f"each of {count} elements"), True
    if not (within & evidence.nonzero & ~wrong).any():
        return ("every element" if within.sum() > 1 else ONE_NUMBER), False
    pairs = zip(given.paths, given.parts(), strict=True)
    names = shortened([path for path, part in pairs if wrong[part].any()])
    return (f"every element of {names}" if count > 1 else names), False


def _partly(evidence: Evidence, wrong: np.ndarray, part: slice) -> bool:
    """Tell whether some elements of a leaf are wrong, while others could be and are not."""
    return bool(wrong[part].any() and (evidence.nonzero & ~wrong)[part].any())


def _off_by(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose that a few elements are off by a factor without a name."""
    first = evidence.fit[0]
    wrong = evidence.wrong & within
    c = ratio(first.yours[wrong & first.wrong], first.exact[wrong & first.wrong])
    subject, partly = _subject(evidence, within, wrong)
    if c is not None and partly:
        says = f"{subject} alone is off, by {c - 1:.3g} of itself"
        yield Theory("unknown", says, multiple(c, wrong))


def _half(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose that of a symmetric matrix half is filled, or the elements off the diagonal twice."""
    first = evidence.fit[0]
    for part, leaf in zip(evidence.given.parts(), evidence.given.leaves, strict=True):
        square = leaf.ndim == 2 and leaf.shape[0] == leaf.shape[1] > 1
        if not square or not within[part].any():
            continue
        exact = first.exact[part].reshape(leaf.shape)
        if not np.allclose(exact, exact.T, rtol=PLAUSIBLE, atol=PLAUSIBLE * np.abs(exact).max()):
            continue
        lower, eye = np.tri(len(leaf)), np.eye(len(leaf))
        upper = lower.T
        for kind, filled, says in (
            ("zero", lower, f"yours is 0 above the diagonal: {HALF_FILLED}"),
            ("zero", upper, f"yours is 0 below the diagonal: {HALF_FILLED}"),
            ("symmetry", 2 * (lower + upper) - 3 * eye, OFF_TWICE),
            ("symmetry", 2 * lower - eye, f"{OFF_TWICE}, and 0 above it"),
            ("symmetry", 2 * upper - eye, f"{OFF_TWICE}, and 0 below it"),
        ):
            yield Theory(kind, says, moved(part, weights=filled.reshape(-1)))


def _weight_decay(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose yours - exact = λ · parameter."""
    first = evidence.fit[0]
    wrong = evidence.wrong & within
    rate = ratio(first.gap[wrong & first.wrong], first.params[wrong & first.wrong])
    if rate is None or (rate < 0 and not _has_penalty(evidence, wrong)):
        return
    subject, partly = _subject(evidence, within, wrong)
    of = "yours" if not partly else f"in {subject}, yours"
    says = f"{of} is exact {'plus' if rate > 0 else 'minus'} {abs(rate):.6g} times the parameter"
    without = "the loss" if rate > 0 else "yours"
    says += f" itself: a weight decay that {without} lacks, or has with another factor"

    def predict(sample: Sample) -> np.ndarray:
        return sample.exact + np.where(wrong, rate * sample.params, 0.0)

    yield Theory("weight-decay", says, predict)


def _has_penalty(evidence: Evidence, wrong: np.ndarray) -> bool:
    """Tell whether the loss has a term whose derivatives are a constant times the parameters.

    Without it a negative decay is unlikely: least squares without the prediction looks like one if
    the features are orthogonal. True if JAX cannot trace the loss, where this is not known.
    """
    run = evidence.engine
    if run is None:
        return True
    return any(_decays(run, i, evidence, wrong) for i in range(len(run.rewired.places)))


def _decays(run: Engine, at: int, evidence: Evidence, wrong: np.ndarray) -> bool:
    """Tell whether what flows through a place is a constant times the parameters at all points."""
    rate: float | None = None
    for sample in evidence.all[:3]:
        through = run.through(at, sample.given)[wrong]
        rate = ratio(through, sample.params[wrong]) if rate is None else rate
        # Equal up to rounding; the tolerance is wide since `through` is a difference of gradients.
        if not rate or not np.allclose(through, rate * sample.params[wrong], rtol=1e-6, atol=0):
            return False
    return True


def _clipped(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose that yours is exact, clipped elementwise at ±c or by its norm."""
    first = evidence.fit[0]
    c = float(np.max(np.abs(first.yours[within]), initial=0.0))
    length = float(np.linalg.norm(first.yours[within]))
    if within.sum() > 1:
        clips = "yours is exact, clipped at"
        yield Theory("unknown", f"{clips} ±{short(c, 6)}", lambda s: np.clip(s.exact, -c, c))
        says = f"{clips} a norm of {short(length, 6)}"
        yield Theory("unknown", says, partial(_no_longer_than, length, within))


def _no_longer_than(length: float, within: np.ndarray, sample: Sample) -> np.ndarray:
    norm = float(np.linalg.norm(sample.exact[within]))
    return np.where(within, sample.exact * min(1.0, length / norm if norm else 1.0), sample.exact)


#: Kinds of mistake in a whole gradient, the simplest first.
OF_THE_WHOLE: tuple[Proposes, ...] = (
    _half,
    one_cotangent,
    conjugates,
    _factor,
    exchanged_leaves,
    _clipped,
)

#: Kinds of mistake in a Jacobian or Hessian besides those of `matrices`, the simplest first.
OF_A_MATRIX: tuple[Proposes, ...] = (
    _half,
    _factor,
    transposed,
    exchanged_elements,
    reordered,
    reversed_axes,
    _off_by,
)

#: Kinds of mistake in one leaf, the simplest first.
OF_A_LEAF: tuple[Proposes, ...] = (
    _half,
    one_cotangent,
    conjugates,
    _factor,
    transposed,
    exchanged_elements,
    reordered,
    _weight_decay,
    reversed_axes,
    _clipped,
    _off_by,
)
