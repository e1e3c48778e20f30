"""The kinds of mistake in a Jacobian or Hessian (rows, columns, bands, the diagonal) or a product.

As in `kinds`, a function takes the evidence and the elements to explain, and proposes theories.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import permutations
from typing import Any

import jax
import numpy as np

from handgrad.arithmetic import balls
from handgrad.clock import OutOfTimeError, limited
from handgrad.data.numerals import listed, short
from handgrad.data.point import point_at, vector
from handgrad.diagnosis import factors
from handgrad.diagnosis.rearranged import moved, of_others
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.theory import Theory
from handgrad.judging import by_differences
from handgrad.judging.black_box import BlackBox
from handgrad.judging.claim import Matrices
from handgrad.judging.outcome import Trial

Shape = tuple[int, ...]

#: What the lines along the two axes are called.
LINES = ("row", "column")

#: The most wrong lines of one axis that are explained one by one.
MOST_LINES = 4

#: The relative difference up to which a line is proposed to be another one; fresh points decide.
PLAUSIBLE = 1e-4

#: The most arguments whose orders are tried.
MOST_ARGUMENTS = 4

#: (the Hessian, the vector) -> a wrong product.
Change = Callable[[np.ndarray, np.ndarray], np.ndarray]

#: The most parameters of a product whose Hessian is computed.
MOST_PARAMETERS = 32

#: The longest time that these take by differences, in seconds.
SECONDS = 10.0


def _matrix(vector: np.ndarray, part: slice, shape: Shape) -> np.ndarray:
    return vector[part].reshape(shape)


def _matrices(evidence: Evidence, within: np.ndarray) -> Iterator[tuple[str, slice, Shape]]:
    """Yield name, place and shape of the matrices that are to be explained."""
    given = evidence.given
    for path, part, leaf in zip(given.paths, given.parts(), given.leaves, strict=True):
        if (evidence.wrong & within)[part].any():
            yield path, part, leaf.shape


def _lines(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose that whole rows, or columns, are off by a factor, or are others."""
    for path, part, shape in _matrices(evidence, within):
        wrong = _matrix(evidence.wrong, part, shape)
        nonzero = _matrix(evidence.nonzero, part, shape)
        for axis in (1, 0):
            lines = np.flatnonzero(wrong.any(axis=1 - axis)).tolist()
            # Most that could be wrong of these lines is; of a whole matrix the usual kinds tell.
            of, all_of = wrong.sum(axis=1 - axis), (wrong | nonzero).sum(axis=1 - axis)
            most = (2 * of > all_of)[lines].all() and len(lines) < shape[axis]
            if most and len(lines) <= MOST_LINES and wrong.sum() > 1:
                yield from _of_lines(evidence, path, part, shape, axis, lines)


def _of_lines(
    evidence: Evidence, path: str, part: slice, shape: Shape, axis: int, lines: list[int]
) -> Iterator[Theory]:
    first = evidence.fit[0]
    yours, exact = (
        np.moveaxis(_matrix(v, part, shape), axis, 0) for v in (first.yours, first.exact)
    )
    found: dict[int, tuple[int, float]] = {}
    for line in lines:
        source = _source(yours[line], exact, line)
        if source is None:
            break
        found[line] = source

    if len(found) == len(lines):
        order, weights = np.arange(shape[axis]), np.ones(shape[axis])
        for line, (other, c) in found.items():
            order[line], weights[line] = other, c
        kind, says = _said_of(found, LINES[axis], path, evidence)
        yield Theory(kind, says, of_others(part, shape, axis, order, weights))
    name = _named(LINES[axis], lines)
    are = "is" if len(lines) == 1 else "are"
    says = f"{name} of {path} {are} wrong, all else is right"
    yield Theory("unknown", says, partial(_as_yours, evidence.wrong))


def _source(yours: np.ndarray, exact: np.ndarray, line: int) -> tuple[int, float] | None:
    """Return the line of exact that one of yours is a multiple of, and the factor."""
    for other in (line, *range(len(exact))):
        moved = exact[other] != 0
        if not moved.any():
            continue
        with np.errstate(invalid="ignore", over="ignore"):
            c = float(np.median(yours[moved] / exact[other][moved]))
            c = round(c) if abs(c - round(c)) < PLAUSIBLE else c
            off = np.abs(yours - c * exact[other])
            scale = np.max(np.abs(yours), initial=0.0)
        if (off <= PLAUSIBLE * scale).all() and (other == line or abs(c) == 1):
            return other, c
    return None


def _said_of(
    found: dict[int, tuple[int, float]], what: str, path: str, evidence: Evidence
) -> tuple[str, str]:
    lines = list(found)
    name = f"{_named(what, lines)} of {path}"
    are, have = ("is", "has") if len(lines) == 1 else ("are", "have")
    if all(other == line for line, (other, _) in found.items()):
        c = found[lines[0]][1]
        if any(factor != c for _, factor in found.values()):
            parts = [f"{what} {i} by {short(c, 6)}" for i, (_, c) in found.items()]
            return "factor", f"of {path}, {listed(parts)} times exact"
        if c == 0:
            return "zero", f"{name} {are} 0"
        if c == -1:
            return "sign", f"{name} {have} the wrong sign"
        return "factor", f"{name} {are} {factors.part(c, evidence.name(c), 'exact')}"
    if {other for other, _ in found.values()} == set(lines):
        return "exchanged", f"{name} are exchanged"
    parts = [f"{what} {i} is {what} {other} of exact" for i, (other, _) in found.items()]
    return "exchanged", f"in {path}, {listed(parts)}"


def _named(what: str, lines: Sequence[int]) -> str:
    return f"{what}{'s' if len(lines) > 1 else ''} {listed([str(line) for line in lines])}"


def _shifted(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose that all elements stand one row or column off, as a band does."""
    for path, part, shape in _matrices(evidence, within):
        for axis in (1, 0):
            lines = np.arange(shape[axis])
            if len(lines) < 2:  # all would be left out
                continue
            for step, where in ((1, "late"), (-1, "early")):
                says = f"every element of {path} stands one {LINES[axis]} too {where}"
                kept = lines != (0 if step > 0 else shape[axis] - 1)
                predict = of_others(part, shape, axis, np.roll(lines, step), kept)
                yield Theory("unknown", says, predict)


def _bands(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose that the bands of a matrix stand beside where they belong."""
    first = evidence.fit[0]
    for path, part, shape in _matrices(evidence, within):
        mine, right = (_diagonals(_matrix(v, part, shape)) for v in (first.yours, first.exact))
        steps = {a - b for a, b in zip(mine, right, strict=False)}
        if len(mine) != len(right) or len(right) > MOST_LINES or len(steps) != 1 or 0 in steps:
            continue
        (step,) = steps
        where = f"{abs(step)} to the {'right' if step > 0 else 'left'} of where they belong"
        predict = partial(_banded, part, shape, dict(zip(mine, right, strict=True)))
        yield Theory("unknown", f"the bands of {path} stand {where}", predict)


def _diagonals(matrix: np.ndarray) -> list[int]:
    """Return the numbers of the diagonals that are not 0."""
    rows, columns = np.nonzero(matrix)
    return np.unique(columns - rows).tolist()


def _banded(part: slice, shape: Shape, by: dict[int, int], sample: Sample) -> np.ndarray:
    """Put some diagonals, from their starts, on others; the ends of longer ones are as yours."""
    whole, exact = sample.exact.copy(), _matrix(sample.exact, part, shape)
    after, yours = np.zeros(shape), _matrix(sample.yours, part, shape)
    for at, source in by.items():
        values = np.diagonal(yours, at).copy()
        known = np.diagonal(exact, source)[: len(values)]
        values[: len(known)] = known
        rows = np.arange(len(values))
        after[rows + max(-at, 0), rows + max(at, 0)] = values
    whole[part] = after.reshape(-1)
    return whole


def _diagonal(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose that only the diagonal of a square matrix is wrong: it lacks a number, or is 0."""
    first = evidence.fit[0]
    for path, part, shape in _matrices(evidence, within):
        wrong = _matrix(evidence.wrong, part, shape)
        if shape[0] != shape[1] or not wrong.diagonal().all() or wrong.sum() > shape[0]:
            continue
        on = np.zeros(first.exact.size)
        on[part] = np.eye(shape[0]).reshape(-1)
        c = float(np.median(first.gap[on > 0]))
        how = f"lacks {short(-c, 6)}" if c < 0 else f"has {short(c, 6)} too much"
        rest = "all else is right"
        says = f"the diagonal of {path}"
        yield Theory("zero", f"{says} is 0, {rest}", moved(slice(None), weights=1 - on))
        says_how = f"{says} {how} in every element, {rest}"
        yield Theory("unknown", says_how, lambda sample, on=on, c=c: sample.exact + c * on)
        yield Theory("unknown", f"{says} is wrong, {rest}", partial(_as_yours, evidence.wrong))


def _as_yours(wrong: np.ndarray, sample: Sample) -> np.ndarray:
    """Predict nothing of these elements, but that all others are right."""
    return np.where(wrong, sample.yours, sample.exact)


def _other_arguments(evidence: Evidence, _: np.ndarray) -> Iterator[Theory]:
    """Propose that arguments of one shape are taken in each other's place."""
    matrix = evidence.trial.case.claim.matrix()
    _, *args = evidence.given.inputs
    forms = [jax.tree_util.tree_map(np.shape, arg) for arg in args]
    if matrix is None or not 1 < len(args) <= MOST_ARGUMENTS:
        return
    names = [evidence.given.names.of_input(1 + i) for i in range(len(args))]
    for order in permutations(range(len(args))):
        if list(order) == sorted(order) or any(forms[i] != forms[j] for i, j in enumerate(order)):
            continue
        says = f"yours is exact for the arguments in the order {', '.join(names[i] for i in order)}"
        yield Theory("exchanged", says, partial(_elsewhere, evidence.trial, matrix, order))


def _elsewhere(trial: Trial, matrix: Matrices, order: Sequence[int], sample: Sample) -> np.ndarray:
    x, *args = sample.given.inputs
    args = [args[i] for i in order]
    if isinstance(trial.loss, BlackBox):
        there, _ = trial.loss.measured(replace(sample.given, inputs=(x, *args)))
        return balls.midpoints(there.gradient)
    with jax.enable_x64(True):
        blocks = matrix(x, args)
    flat = [np.asarray(block, dtype=np.float64).reshape(-1) for block in blocks]
    return trial.case.projected(sample.given, np.concatenate(flat))


def products(evidence: Evidence, _: np.ndarray) -> Iterator[Theory]:
    """Propose that a product is that of another matrix, or with a part of the vector."""
    case, given = evidence.trial.case, evidence.given
    if case.claim.hessian() is None or given.size > MOST_PARAMETERS:
        return
    projected = case.projected
    try:
        with limited(SECONDS):
            hessians = {id(sample): _hessian(evidence, sample) for sample in evidence.all}
    except OutOfTimeError:
        return
    name, n = given.names.of_input(0), given.size

    def product(change: Callable[[np.ndarray, np.ndarray], np.ndarray], sample: Sample) -> Any:
        return projected(sample.given, change(hessians[id(sample)], _vector(sample)))

    def without(i: int, h: np.ndarray, v: np.ndarray) -> np.ndarray:
        return h @ np.where(np.arange(n) == i, 0, v)

    for i in reversed(range(n)):
        says = f"yours takes {name}{[i]} for 0"
        yield Theory("unknown", says, partial(product, partial(without, i)))
    for says, change in (
        ("the diagonal of the Hessian alone", lambda h, v: np.diag(h) * v),
        ("the upper triangle of the Hessian alone", lambda h, v: np.triu(h) @ v),
        ("the lower triangle of the Hessian alone", lambda h, v: np.tril(h) @ v),
    ):
        yield Theory("unknown", f"yours is the product with {says}", partial(product, change))


def normalised(evidence: Evidence, _: np.ndarray) -> Iterator[Theory]:
    """Propose that the vector of a product is divided by its length first: a factor as well."""
    if evidence.trial.case.claim.hessian() is not None:
        says = "yours is the product with v divided by its length"
        yield Theory("factor", says, lambda s: s.exact / np.linalg.norm(_vector(s)))


def _vector(sample: Sample) -> np.ndarray:
    return vector(jax.tree_util.tree_leaves(sample.given.inputs[0]))


def _hessian(evidence: Evidence, sample: Sample) -> np.ndarray:
    claim = evidence.trial.case.claim
    x, *args = claim.own_arguments((sample.given.params, *sample.given.inputs))
    called, hessian = claim.function(), claim.hessian()
    assert called is not None
    assert hessian is not None
    if isinstance(evidence.trial.loss, BlackBox):
        return by_differences.hessian(called, point_at(x, args))
    with jax.enable_x64(True):
        return np.asarray(hessian(x, args), dtype=np.float64)


#: Kinds of mistake in a matrix, the simplest first.
OF_A_MATRIX = (_other_arguments, _lines, _shifted, _bands, _diagonal)
