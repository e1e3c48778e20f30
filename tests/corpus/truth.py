"""What a verdict must be, by differences of the function that is called, and nothing else.

Central differences along random directions are extrapolated to a step of zero (Richardson): halving
the step removes one even power of it from their error at a time. Each verb is one line of `SIDES`:
the answer, contracted, and a function of one number whose first or second derivative that is. Where
a loss has no gradient, `tests.corpus.ties` has those of its sides.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from tests.corpus.case import RAISED, Case
from tests.corpus.directions import DIRECTIONS, along, directions, drawn, epsilon, moved
from tests.corpus.ties import at_a_tie

#: Ladders of steps, relative to numbers of size 1, and how often each is halved.
LADDERS, RUNGS = (2.0**-3, 2.0**-6, 2.0**-9), 5

#: A gap of more than this, of the size of what is compared, is a mistake; of less, none. Between
#: the two, or where differences are not sure of so much, a case states its verdict.
WRONG, RIGHT = 1e-5, 1e-7

#: Rounding of the function's own values leaves differences so much unsure at least, of its value.
NOISE = 1e-13

#: Differences are trusted up to so many of the distances between their last two extrapolations.
UNSURE = 16

#: At how many other points, a tenth of its size away, an answer must be right as well.
ELSEWHERE = 2

#: A derivative by differences, what they are unsure by, and the size of the function.
Slope = tuple[float, float, float]

#: The contracted answer, what differences say of it, what they are unsure by, the function's value.
Side = tuple[float, float, float, float]


def truth(case: Case) -> str | None:
    """Return the verdict that is due; None where differences cannot tell."""
    known = case.verb in SIDES and OF_WHAT_IS_CALLED.issuperset(case.options)
    if case.verdict == RAISED or not known:
        return None
    case = replace(case, function=_with_copies(case.compiled or case.function))
    rng, found = np.random.default_rng(0), []
    # What has a domain would leave it.
    elsewhere = ELSEWHERE if case.options.get("points", 8) and "domain" not in case.options else 0
    with jax.enable_x64(True), np.errstate(all="ignore"):
        for k in range(1 + elsewhere):
            at = tuple(moved(rng, a, 0.1 * bool(k)) for a in case.at)
            try:
                sides = list(SIDES[case.verb](case, at, rng))
            except OtherFormError:
                return "disagree"
            if k and not all(np.isfinite(side).all() for side in sides):
                continue  # it need not be defined there
            if case.verb == "gradient" and any(np.isnan(right) for _, right, *_ in sides):
                sides = [side for side in sides if not np.isnan(side[1])]
                found.append(_at_a_tie(case, at, rng))
            found += [_decided(*side, epsilon(case.at)) for side in sides]
    if "disagree" in found:
        return "disagree"
    return None if None in found else "agree"


def _with_copies(function: Any) -> Any:
    """Return a function that may write to its arguments."""

    def called(*args: Any) -> Any:
        copy = [
            leaf.copy() if isinstance(leaf, np.ndarray) else leaf for leaf in jax.tree.leaves(args)
        ]
        return function(*jax.tree.structure(args).unflatten(copy))

    return called


class OtherFormError(ValueError):
    """An answer has not the form of what it is the derivative of."""


def _decided(answer: float, right: float, unsure: float, height: float, eps: float) -> str | None:
    gap, size = abs(answer - right), max(abs(answer), abs(right))
    unsure, rounded = max(unsure, NOISE * height), eps * size * (eps > WRONG)
    if not np.isfinite(right):
        return None
    if not np.isfinite(answer) or not gap <= max(WRONG * size, UNSURE * max(unsure, rounded)):
        return "disagree"
    return "agree" if gap <= max(RIGHT * size, UNSURE * unsure) and unsure <= RIGHT * size else None


def slope(curve: Callable[[float], Any], order: int) -> Slope:
    """Return a derivative at 0 of first or second order, what it is unsure by, and the size at 0.

    NaN at a kink. In formats of 16 bits and less the size is as many times as large as they round.
    """
    best, height, edges, noise = (np.nan, np.inf), float(curve(0.0)), [], 0.0
    eps = epsilon(curve(0.0))
    size = abs(height) * (eps / 2.0**-52 if eps > WRONG else 1)
    for first in LADDERS:
        steps = first / 2.0 ** np.arange(RUNGS)
        up, down = ([float(curve(sign * h)) for h in steps] for sign in (1, -1))
        table = np.subtract(up, down) / (2 * steps)
        bends = (np.add(up, down) - 2 * height) / steps
        if order == 2:
            table = bends / steps
        edges.append(2 * bends[-1] - bends[-2])
        noise = UNSURE * NOISE * size / steps[-1]
        if order == 1 and abs(bends[-1]) > max(abs(bends[0]) / 2, WRONG * abs(table[-1])):
            continue  # at a kink it is as large at half the step
        before = table
        for power in range(1, RUNGS):
            before, table = table, table[1:] + (table[1:] - table[:-1]) / (4**power - 1)
        unsure = abs(table[-1] - before[-1])
        if unsure < best[1]:
            best = float(table[-1]), float(unsure)
    _, last, edge = edges
    if order == 1 and abs(edge) > max(WRONG * abs(best[0]), noise, 10 * abs(edge - last)):
        return np.nan, np.inf, size  # a kink beside large curvature
    return *best, size


def _product(one: Any, other: Any, conjugate: bool = False) -> float:
    """Return Re Σ a·b over the leaves of two trees, which may have other structures."""
    sides = [[np.asarray(leaf) for leaf in jax.tree.leaves(tree)] for tree in (one, other)]
    if [a.shape for a in sides[0]] != [b.shape for b in sides[1]]:
        raise OtherFormError
    pairs = zip(*sides, strict=True)
    return float(sum(np.sum((a.conj() if conjugate else a) * b).real for a, b in pairs))


# What each verb says.


def _of_gradient(case: Case, at: Any, rng: np.random.Generator) -> Iterator[Side]:
    params, *inputs = at
    answers = [_gradient(case, at) for _ in range(2)]  # what it keeps shows in the second
    torch = case.options.get("convention") == "torch"
    vectors = directions(rng, params, case.options.get("domain"))
    for three in zip(*[vectors] * DIRECTIONS, strict=True):
        slopes = [
            slope(lambda t, v=v: _value(case.function(along(params, v, t), *inputs)), 1)
            for v in three
        ]
        one, other, both = (right for right, *_ in slopes)
        most = UNSURE * sum(unsure + NOISE * height for _, unsure, height in slopes)
        straight = abs(one + other - both) <= max(WRONG * abs(both), most)
        for v, (right, unsure, height) in zip(three, slopes, strict=True):
            for a in answers:
                yield _product(a, v, torch), right if straight else np.nan, unsure, height


def _gradient(case: Case, at: Any) -> Any:
    answer = case.answer(*at)
    return answer[1] if case.options.get("has_value") else answer


def _at_a_tie(case: Case, at: Any, rng: np.random.Generator) -> str | None:
    params, *inputs = at
    if not {"domain", "convention"}.isdisjoint(case.options) or epsilon(at) > WRONG:
        return None
    answer = _gradient(case, at)
    return at_a_tie(lambda p: _value(case.function(p, *inputs)), params, answer, rng)


def _of_jacobian(case: Case, at: Any, rng: np.random.Generator) -> Iterator[Side]:
    params, *inputs = at
    answer = case.answer(params, *inputs)
    for v in directions(rng, params):
        out = case.function(params, *inputs)
        weights = drawn(rng, jax.tree.map(np.ones_like, out))

        def weighed(t: float, v: Any = v, weights: Any = weights) -> float:
            return _product(weights, case.function(along(params, v, t), *inputs))

        yield _product(weights, _times(answer, v, out)), *slope(weighed, 1)


def _times(matrix: Any, v: Any, out: Any) -> list[np.ndarray]:
    """Multiply a Jacobian, a matrix, a list of rows or a pytree of blocks, by a vector."""
    shapes = [np.shape(leaf) for leaf in jax.tree.leaves(out)]
    if len(shapes) == 1 and isinstance(v, np.ndarray):
        (shape,) = shapes
        rows, columns = int(np.prod(shape)), v.size
        if hasattr(matrix, "todense"):  # what is sparse, in JAX as well
            matrix = np.asarray(matrix.todense())
        if isinstance(matrix, list):
            try:
                matrix = np.array(matrix, float)
            except ValueError:
                raise OtherFormError from None
        if not hasattr(matrix, "dot"):
            raise OtherFormError
        if matrix.shape != (rows, columns):
            if matrix.shape not in ((*shape, *v.shape), (columns,) if rows == 1 else None):
                raise OtherFormError
            matrix = np.reshape(matrix, (rows, columns))
        return [np.asarray(matrix.dot(v.ravel())).reshape(shape)]
    leaves = jax.tree.leaves(v)
    blocks = iter(jax.tree.leaves(matrix))
    found = []
    for shape in shapes:
        row = [(np.asarray(next(blocks)), each) for each in leaves]
        if any(block.shape != (*shape, *each.shape) for block, each in row):
            raise OtherFormError
        found.append(sum(np.tensordot(block, each, each.ndim) for block, each in row))
    return found


def _of_hessian(case: Case, at: Any, rng: np.random.Generator) -> Iterator[Side]:
    params, *inputs = at
    answer = case.answer(params, *inputs)
    for v in directions(rng, params):
        u = drawn(rng, params)
        yield _product(u, _times(answer, v, params)), *_mixed(case, params, inputs, u, v)


def _of_product(case: Case, at: Any, rng: np.random.Generator) -> Iterator[Side]:
    params, *inputs = at
    for v in directions(rng, params):
        u, answer = drawn(rng, params), case.answer(params, v, *inputs)
        yield _product(u, answer), *_mixed(case, params, inputs, u, v)


def _mixed(case: Case, params: Any, inputs: Sequence[Any], u: Any, v: Any) -> Slope:
    """Return uᵀHv, and as `slope`: of second slopes along u + v and u - v."""

    def second(sign: float) -> Slope:
        way = jax.tree.map(lambda a, b: a + sign * b, u, v)
        return slope(lambda t: _value(case.function(along(params, way, t), *inputs)), 2)

    (plus, one, height), (minus, other, _) = second(1.0), second(-1.0)
    return (plus - minus) / 4, one + other, height


def _of_backward(case: Case, at: Any, rng: np.random.Generator) -> Iterator[Side]:
    out, cache = case.function(*at)
    given = case.options.get("cotangent")
    d = jax.tree.map(lambda o: None if np.asarray(o).dtype.kind in "biu" else o, out)
    d = drawn(rng, d) if given is None else given
    torch = case.options.get("convention") == "torch"
    answer = case.answer(d, cache)
    answer = (answer,) if len(at) == 1 and not isinstance(answer, tuple) else answer
    for i, argument in enumerate(at):
        for v in directions(rng, argument):

            def weighed(t: float, i: int = i, v: Any = v) -> float:
                there = (*at[:i], along(at[i], v, t), *at[i + 1 :])
                floats = [o for o in jax.tree.leaves(case.function(*there)[0]) if epsilon(o)]
                return _product(d, floats, torch)

            yield _product(answer[i], v, torch), *slope(weighed, 1)


def _of_rule(case: Case, at: Any, rng: np.random.Generator) -> Iterator[Side]:
    """By JAX's rule for tangents, or for cotangents where it has none."""
    d = drawn(rng, case.answer(*at))
    for i, argument in enumerate(at):
        for v in directions(rng, argument):

            def value(leaf: Any, i: int = i) -> Any:
                return case.answer(*at[:i], leaf, *at[i + 1 :])

            try:
                _, tangent = jax.jvp(value, (argument,), (v,))
            except TypeError:
                found = jax.vjp(value, argument)[1](jax.numpy.asarray(d))[0]
                answer = _product(found, v)
            else:
                answer = _product(d, tangent)

            def weighed(t: float, argument: Any = argument, v: Any = v, f: Any = value) -> float:
                return _product(d, f(along(argument, v, t)))

            yield answer, *slope(weighed, 1)


def _of_call(case: Case, at: Any, rng: np.random.Generator) -> Iterator[Side]:
    """By each derivative that a call of SciPy's is given."""
    inputs = case.options.get("args", ())
    data = case.options.get("xdata")  # of `curve_fit`: it comes first, and parameters one by one
    (params,) = map(np.asarray, at)

    def called(function: Any) -> Any:
        if data is None:
            return lambda p, *others: np.asarray(function(p, *others))
        return lambda p: np.asarray(function(data, *p))

    function = called(case.function)
    of_x = "jacobian" if function(params, *inputs).ndim else "gradient"
    for name, derivative in case.answer.items():
        verb = {"hess": "hessian", "hessp": "hvp"}.get(name, of_x)
        one = replace(case, function=function, answer=called(derivative), options={})
        yield from SIDES[verb](one, (params, *inputs), rng)


def _value(result: Any) -> Any:
    return np.real(np.asarray(result))


SIDES: dict[str, Callable[[Case, Any, np.random.Generator], Iterator[Side]]] = {
    "gradient": _of_gradient,
    "jacobian": _of_jacobian,
    "hessian": _of_hessian,
    "hvp": _of_product,
    "backward": _of_backward,
    "custom": _of_rule,
    "scipy": _of_call,
}

#: The options that change nothing of what is due.
OF_WHAT_IS_CALLED = {
    *("points", "seed", "seconds", "has_value", "convention", "cotangent", "domain", "modes"),
    *("args", "xdata", "directions", "referee"),
}
