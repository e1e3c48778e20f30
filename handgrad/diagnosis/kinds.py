"""The kinds of mistake that show in the numbers of a gradient; a new kind is a function and a row.

A function takes the evidence and the elements to explain, and proposes theories fitted to the first
points. A theory is accepted only if fresh points confirm it.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from handgrad.data.numerals import place, short
from handgrad.data.point import index_of
from handgrad.diagnosis import factors
from handgrad.diagnosis.conjugates import conjugates
from handgrad.diagnosis.engine import Engine
from handgrad.diagnosis.other_passes import one_cotangent
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.theory import Theory

#: The most leaves to name.
MOST_NAMES = 4

#: The relative difference up to which a leaf is proposed to be another one's; later checks decide.
PLAUSIBLE = 1e-4

#: A nameless factor within this distance of 1 is not believed if other leaves are wrong too: then
#: their mistake looks like a factor here, as the decay of an updated parameter does.
NEAR_ONE = 0.1

#: The most axes of a leaf whose orders are tried: 23 of four axes, 119 of five.
MOST_AXES = 4

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
        if not first.explained(_times(value, wrong, first), within):
            continue
        kind = {-1.0: "sign", 0.0: "zero"}.get(value, "factor")
        nameless = kind == "factor" and evidence.name(value) is None
        if value != 1 and not (partly and nameless):
            says = _said(kind, value, subject, evidence)
            beside = (evidence.wrong & ~within).any()
            odd = nameless and beside and abs(value - 1) < NEAR_ONE
            vague = kind == "factor" and (odd or _may_be_a_term(evidence, wrong, nameless))
            yield Theory("unknown" if vague else kind, says, partial(_times, value, wrong))


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


def _times(value: float, wrong: np.ndarray, sample: Sample) -> np.ndarray:
    return np.where(wrong, value * sample.exact, sample.exact)


def _subject(evidence: Evidence, within: np.ndarray, wrong: np.ndarray) -> tuple[str, bool]:
    """Name the wrong elements, and tell whether they are only some of those that can be wrong."""
    given, count = evidence.given, int(wrong.sum())
    if any(_partly(evidence, wrong, part) for part in given.parts()):
        one = _element(evidence, int(np.argmax(wrong)))
        return (one if count == 1 else f"each of {count} elements"), True
    if not (within & evidence.nonzero & ~wrong).any():
        return ("every element" if within.sum() > 1 else ONE_NUMBER), False
    pairs = zip(given.paths, given.parts(), strict=True)
    names = shortened([path for path, part in pairs if wrong[part].any()])
    return (f"every element of {names}" if count > 1 else names), False


def _partly(evidence: Evidence, wrong: np.ndarray, part: slice) -> bool:
    """Tell whether some elements of a leaf are wrong, while others could be and are not."""
    return bool(wrong[part].any() and (evidence.nonzero & ~wrong)[part].any())


def shortened(names: Sequence[str]) -> str:
    """List names, `a, b and c`; only the first ones of many."""
    if len(names) > MOST_NAMES:
        return f"{', '.join(names[:MOST_NAMES])} and {len(names) - MOST_NAMES} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _off_by(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose that a few elements are off by a factor without a name."""
    first = evidence.fit[0]
    wrong = evidence.wrong & within
    c = ratio(first.yours[wrong & first.wrong], first.exact[wrong & first.wrong])
    subject, partly = _subject(evidence, within, wrong)
    if c is not None and partly:
        says = f"{subject} alone is off, by {c - 1:.3g} of itself"
        yield Theory("unknown", says, partial(_times, c, wrong))


def _transposed(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose yours = exactᵀ for a square matrix."""
    for part, leaf in zip(evidence.given.parts(), evidence.given.leaves, strict=True):
        square = leaf.ndim == 2 and leaf.shape[0] == leaf.shape[1] > 1
        if square and within[part].any():
            order = np.arange(leaf.size).reshape(leaf.shape).T.reshape(-1)
            yield Theory("transposed", "yours is the transpose of exact", _moved(part, order))


def _reordered(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose that a leaf was transposed and then reshaped to fit, or conversely."""
    for part, leaf in zip(evidence.given.parts(), evidence.given.leaves, strict=True):
        if not within[part].any() or not 1 < leaf.ndim <= MOST_AXES:
            continue
        places = np.arange(leaf.size).reshape(leaf.shape)
        for axes in itertools.islice(itertools.permutations(range(leaf.ndim)), 1, None):
            order = places.transpose(axes).reshape(-1)
            how = "the transpose of exact" if leaf.ndim == 2 else f"exact, its axes in order {axes}"
            says = f"yours is {how}, reshaped to fit"
            yield Theory("transposed", says, _moved(part, order))
            says = "yours is exact, reshaped where it should be transposed"
            yield Theory("transposed", says, _moved(part, np.argsort(order)))


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
            yield Theory(kind, says, partial(_weighed, part, filled.reshape(-1)))


def _weighed(part: slice, weights: np.ndarray, sample: Sample) -> np.ndarray:
    found = sample.exact.copy()
    found[part] *= weights
    return found


def _moved(part: slice, order: np.ndarray) -> Callable[[Sample], np.ndarray]:
    def predict(sample: Sample) -> np.ndarray:
        found = sample.exact.copy()
        found[part] = found[part][order]
        return found

    return predict


def _reversed(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose that an axis is reversed: a kernel not flipped, or flipped once too often."""
    for part, leaf in zip(evidence.given.parts(), evidence.given.leaves, strict=True):
        if not within[part].any():
            continue
        places = np.arange(leaf.size).reshape(leaf.shape)
        for axis in [*range(leaf.ndim), *([None] if leaf.ndim > 1 else [])]:
            along = "every axis" if axis is None else f"axis {axis}"
            order = np.flip(places, axis).reshape(-1)
            yield Theory("unknown", f"yours is exact, reversed along {along}", _moved(part, order))


def _exchanged_elements(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose that two elements of one leaf are exchanged."""
    wrong = np.flatnonzero(evidence.wrong & within)
    if len(wrong) != 2:
        return
    order = np.arange(within.size)
    order[wrong] = wrong[::-1]
    says = f"{_element(evidence, wrong[0])} and {_element(evidence, wrong[1])} are exchanged"
    yield Theory("exchanged", says, lambda sample: sample.exact[order])


def _element(evidence: Evidence, i: int) -> str:
    """Name an element by its path and index."""
    given = evidence.given
    k = next(k for k, part in enumerate(given.parts()) if part.start <= i < part.stop)
    return given.paths[k] + place(index_of(given, given.paths[k], i - given.parts()[k].start))


def _exchanged_leaves(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose that leaves of one shape are exchanged."""
    given, first = evidence.given, evidence.fit[0]
    parts = given.parts()
    concerned = [k for k, part in enumerate(parts) if (evidence.wrong & within)[part].any()]
    order = np.arange(within.size)
    for k in concerned:
        for m in concerned:
            alike = given.leaves[k].shape == given.leaves[m].shape and k != m
            if alike and _same(first, parts[k], parts[m]):
                order[parts[k]] = np.arange(parts[m].start, parts[m].stop)
    names = [given.paths[k] for k in concerned if order[parts[k].start] != parts[k].start]
    if names and len(names) == len(concerned):
        says = f"{shortened(names)} are exchanged"
        yield Theory("exchanged", says, lambda sample: sample.exact[order])


def _same(sample: Sample, mine: slice, other: slice) -> bool:
    """Tell whether yours of one leaf may be the exact derivative by another."""
    scale = np.max(np.abs(sample.exact[other]))
    with np.errstate(invalid="ignore"):
        off = np.abs(sample.yours[mine] - sample.exact[other])
    # In short formats each element's own rounding is more than that.
    allowed = np.fmax(sample.allowed[mine], sample.noise[other]) if sample.stated else 0.0
    return bool((off <= np.fmax(PLAUSIBLE * scale, allowed)).all())


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
    return any(decays(run, i, evidence, wrong) for i in range(len(run.rewired.places)))


def decays(run: Engine, at: int, evidence: Evidence, wrong: np.ndarray) -> bool:
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
    _exchanged_leaves,
    _clipped,
)

#: Kinds of mistake in a Jacobian or Hessian besides those of `matrices`, the simplest first.
OF_A_MATRIX: tuple[Proposes, ...] = (
    _half,
    _factor,
    _transposed,
    _exchanged_elements,
    _reordered,
    _reversed,
    _off_by,
)

#: Kinds of mistake in one leaf, the simplest first.
OF_A_LEAF: tuple[Proposes, ...] = (
    _half,
    one_cotangent,
    conjugates,
    _factor,
    _transposed,
    _exchanged_elements,
    _reordered,
    _weight_decay,
    _reversed,
    _clipped,
    _off_by,
)
