"""Derivatives of custom rules in forward mode: by `jax.jvp`, and whether JAX can transpose it.

JAX makes the reverse mode of a `jax.custom_jvp` by transposing its rule, which it takes to be
linear in the tangents. One that is not (|t|, t + 1, a sort) may be right for `jax.grad` and wrong
for `jax.jvp`, or the other way round, or cannot be transposed.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np
from jax.extend import core as jex
from jax.tree_util import keystr

from handgrad.data.complex_pairs import in_pairs
from handgrad.data.formats import is_half
from handgrad.data.frames import in_one_line, own_frames, quoted_line
from handgrad.data.names import Names
from handgrad.data.point import Point, point_at, shortly, slices
from handgrad.data.point import vector as flat
from handgrad.data.pytrees import weighed, wide
from handgrad.data.ulps import ulp_distance
from handgrad.judging.case import Case, Vector
from handgrad.judging.claim import Claim
from handgrad.judging.custom_cases import CustomFunction
from handgrad.judging.forward_values import OUTPUT, Referenced, is_float
from handgrad.program.sources import Source, source_of
from handgrad.tolerance.runs import SHARP

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

MODES = ("fwd", "rev")

#: The most elements to have by `jax.jvp`, of which each takes one tangent.
MOST_ELEMENTS = 256

#: How many random tangents are judged.
TANGENTS = 3


def chosen_modes(function: CustomFunction, modes: Any) -> tuple[tuple[str, ...], str | None]:
    """Return the modes to judge, the reverse mode first, and why JAX has no rule, if it has not.

    Raises:
        TypeError: these are no modes, or the rule does not define one that was asked for.
    """
    expected = 'expected some of "fwd", "rev" in a tuple'
    if modes is not None:
        if isinstance(modes, str) or not isinstance(modes, Sequence) or not modes:
            raise TypeError(f"modes: got {shortly(modes)}, {expected}")
        if unknown := [mode for mode in modes if mode not in MODES]:
            raise TypeError(f"modes: got {shortly(unknown[0])}, {expected}")
    wanted = function.defined if modes is None else tuple(modes)
    no_forward = "fwd" in wanted and function.defined == ("rev",) and function.reference is None
    if no_forward:
        what = f"{function.name} has a jax.custom_vjp, of which JAX has the reverse mode alone"
        raise TypeError(f'modes: got "fwd", but {what}; expected modes=("rev",)')
    refused = refusal(function) if "rev" in wanted else None
    if refused and (modes is not None or "fwd" not in wanted):
        raise TypeError(f'modes: got "rev", but {refused}; expected modes=("fwd",)')
    return tuple(m for m in ("rev", "fwd") if m in wanted and not (m == "rev" and refused)), refused


def refusal(function: CustomFunction) -> str | None:
    """Return why JAX has no reverse mode of a function; None if it has.

    Raises:
        Exception: what its rule raises in forward mode, too.
    """
    real = list(function.real)
    with wide(real):
        try:
            jax.make_jaxpr(jax.grad(function.loss))(real)
        except Exception as error:  # JAX's of transposing are of many kinds
            if function.defined == ("rev",):
                raise
            try:
                slope(function.loss, real, real)
            except Exception:  # the rule itself raises, whatever that is
                raise error from None
            return f"JAX cannot transpose the rule of {function.name}: {_why(function, error)}"
    return None


def _why(function: CustomFunction, error: Exception) -> str:
    """Say which operation on a tangent JAX cannot transpose."""
    real = list(function.real)
    try:
        program = jax.make_jaxpr(lambda t: slope(function.loss, real, t))(real)
    except Exception:  # it needs the numbers of what JAX traces
        frames = own_frames(error.__traceback__)
        if not frames:
            return in_one_line(error)
        place = frames[-1][1]
        where = quoted_line(place.filename, place.lineno or 0)
        return f"it needs the numbers of its tangents at {where}"
    found = not_linear(program.jaxpr, set(program.jaxpr.invars))
    if found is None:
        return in_one_line(error)
    operation, source = found
    return f"`{operation}` of its tangents" + (
        f" at {quoted_line(source.file, source.line)}" if source else ""
    )


def not_linear(jaxpr: Any, moving: set[Any]) -> tuple[str, Source | None] | None:
    """Return the first operation that JAX cannot transpose, and the caller's line that it is from.

    `moving` are the tangents among the variables.
    """
    for eqn in jaxpr.eqns:
        moves = [not isinstance(v, jex.Literal) and v in moving for v in eqn.invars]
        if not any(moves):
            continue
        inner = eqn.params.get("jaxpr") if eqn.primitive.name in ("jit", "pjit") else None
        if inner is not None:
            inside = {v for v, m in zip(inner.jaxpr.invars, moves, strict=True) if m}
            if (found := not_linear(inner.jaxpr, inside)) is not None:
                # Of what JAX has traced before, the line is not known.
                return found[0], found[1] or source_of(eqn)
        elif not _transposes(eqn, moves):
            return eqn.primitive.name, source_of(eqn)
        moving.update(eqn.outvars)
    return None


def _transposes(eqn: Any, moves: Sequence[bool]) -> bool:
    shapes = [jax.ShapeDtypeStruct(v.aval.shape, v.aval.dtype) for v in eqn.invars]

    def run(*given: Any) -> Any:
        values = iter(given)
        operands = [
            next(values) if m else jax.numpy.ones(s.shape, s.dtype)
            for m, s in zip(moves, shapes, strict=True)
        ]
        return eqn.primitive.bind(*operands, **eqn.params)

    mine = [s for m, s in zip(moves, shapes, strict=True) if m]
    try:
        jax.eval_shape(lambda *t: jax.linear_transpose(run, *t)(run(*t)), *mine)
    except Exception:  # JAX's of transposing are of many kinds
        return False
    return True


def slope(f: Callable[..., Any], params: Any, tangents: Any) -> Any:
    """Return the slope of a function of arrays in a list along tangents, by `jax.jvp`."""
    return jax.jvp(f, (list(params),), (list(tangents),))[1]


def results_beside(function: CustomFunction, real: Sequence[Any]) -> Referenced | None:
    """Pair the results that a function has only where JAX differentiates it with the right ones.

    These are of its rule, which may compute other ones than the function does elsewhere. What is
    no float is 1 where it differs, beside 0. Returns None if all are alike at these arguments, or
    apart by a few roundings.
    """

    def results(real: Sequence[Any]) -> Any:
        return in_pairs(function.f(*function.arguments.together(real)))

    def derived(real: Sequence[Any]) -> list[Any]:
        real = list(real)
        if "fwd" in function.defined:  # some rules need the numbers of tangents
            return jax.tree_util.tree_leaves(jax.jvp(results, (real,), (real,))[0])
        return jax.tree_util.tree_leaves(jax.linearize(results, real)[0])

    with wide(real):
        found, _ = jax.tree_util.tree_flatten_with_path(results(real))
        pairs = enumerate(zip(found, derived(real), strict=True))
        differing = [k for k, ((_, mine), other) in pairs if not _alike(mine, other)]
    floats = [k for k, (_, leaf) in enumerate(found) if is_float(leaf)]
    if not differing:
        return None

    def own(real: Sequence[Any]) -> list[Any]:
        mine, elsewhere = derived(real), jax.tree_util.tree_leaves(results(real))
        return [
            mine[k] if k in floats else (mine[k] != elsewhere[k]).astype(np.float32)
            for k in differing
        ]

    def right(real: Sequence[Any]) -> list[Any]:
        known = dict(zip(floats, function.right(real), strict=True))
        return [known.get(k, np.zeros(np.shape(found[k][1]), np.float32)) for k in differing]

    paths = [f"{OUTPUT}{keystr(found[k][0])} beside a derivative" for k in differing]
    why = f"the rule returns it in place of what {function.name} computes"
    with wide(real):
        return Referenced(own, right, dict(zip(paths, own(real), strict=True)), function.name, why)


def _alike(mine: Any, other: Any) -> bool:
    """Tell whether two results are one, or so near that the judge would call either right.

    In a whole format `SHARP` half ulps of an element count as right, whatever the function.
    """
    if not is_float(mine):
        return bool(jax.numpy.all(mine == other))
    a, b = np.asarray(mine), np.asarray(other)
    near = (a == b) | (np.isnan(a) & np.isnan(b))
    if a.dtype != b.dtype or near.all():
        return bool(near.all())
    return bool((near | (ulp_distance(a, b) <= (0 if is_half(a.dtype) else SHARP / 4))).all())


def elements_case(function: CustomFunction, length: float = 1.0) -> Case:
    """Return the case of every element by `jax.jvp`, along tangents of that length."""

    def at(lengths: list[np.ndarray]) -> tuple[Case, Point]:
        return elements_case(function, float(lengths[0])), function.given

    cotangents = [np.asarray(length * c, c.dtype) for c in function.cotangents]
    along = replace(function, cotangents=cotangents)
    options = {
        "loss": along.of_right,
        "claim": replace(
            function.claim, mode="fwd", cotangent_is_constant=False, case_of=elements_case
        ),
        "condition": "in forward mode",
        "vector": Vector("tangents", [np.asarray(length)], at),
    }
    return function.case(by_columns(function.loss, length), **options)


def by_columns(f: Callable[..., Any], length: float = 1.0) -> Callable[..., Any]:
    """Return the slopes of a scalar function of arrays in a list along its axes, by `jax.jvp`."""

    def gradient(params: Any) -> list[Any]:
        leaves = list(params)
        parts = slices(leaves)
        units = length * np.eye(parts[-1].stop)
        tangents = [
            np.asarray(units[:, part].reshape(len(units), *x.shape), x.dtype)
            for x, part in zip(leaves, parts, strict=True)
        ]
        try:
            columns = jax.vmap(lambda *t: slope(f, leaves, t))(*tangents)
        except Exception:  # code in NumPy, kernels and callbacks may take no batches
            one_by_one = [slope(f, leaves, t) for t in zip(*tangents, strict=True)]
            columns = jax.numpy.stack([jax.numpy.asarray(c) for c in one_by_one])
        return [
            columns[part].reshape(x.shape).astype(x.dtype)
            for x, part in zip(leaves, parts, strict=True)
        ]

    return gradient


class RandomTangents(Claim):
    """The slopes of a function along random tangents, which no check gives again."""

    def check(self, case: Case) -> None:
        """Return None."""


def tangents_case(
    function: CustomFunction, points: Any, lengths: Any = (1.0,) * TANGENTS
) -> tuple[Case, Point, Any]:
    """Return the case of the slopes along random tangents, its point, and points of it.

    It judges s -> Σ c·f(x + Σ s·t), so that the slopes by `jax.jvp` are its gradient. The tangents
    are multiplied by the lengths.
    """
    rng = np.random.default_rng(function.options.seed)
    real = [np.asarray(x) for x in function.real]
    drawn = [
        [np.asarray(rng.standard_normal(x.shape) * _size(x), x.dtype) for x in real]
        for _ in range(TANGENTS)
    ]
    if (tangent := function.tangent) is not None:
        inside = [tangent.of_floats(flat(along)) for along in drawn]
        parts = list(zip(real, slices(real), strict=True))
        drawn = [[v[p].reshape(x.shape).astype(x.dtype) for x, p in parts] for v in inside]
    drawn = [
        [np.asarray(length * t, t.dtype) for t in along]
        for length, along in zip(lengths, drawn, strict=True)
    ]
    if function.options.domain is not None and not isinstance(points, list | tuple):
        points = 0  # a step along them may leave it
    dtype = np.float64 if any(x.dtype == np.float64 for x in real) else np.float32

    def moved(distances: Any, given: Sequence[Any]) -> list[Any]:
        steps = zip(*drawn, strict=True)
        return [
            x + sum((distances[j] * t).astype(x.dtype) for j, t in enumerate(along))
            for x, along in zip(given, steps, strict=True)
        ]

    def loss(distances: Any, *given: Any) -> Any:
        return weighed(function.right(moved(distances, given)), function.cotangents)

    def gradient(distances: Any, *given: Any) -> Any:
        at = moved(distances, given)
        slopes = [jax.numpy.asarray(slope(function.loss, at, along)) for along in drawn]
        return jax.numpy.stack([one.astype(dtype) for one in slopes])

    def at(lengths: list[np.ndarray]) -> tuple[Case, Point]:
        return tangents_case(function, 0, lengths[0])[:2]

    options = {
        "claim": RandomTangents(),
        "condition": "in forward mode along random tangents",
        "domain": None,
        "vector": Vector("tangents", [np.asarray(lengths)], at),
    }
    case = function.case(gradient, loss=loss, **options)
    names = Names("tangents", function.given.paths)
    given = point_at(np.zeros(TANGENTS, dtype), tuple(function.real), names)
    if isinstance(points, list | tuple):
        points = [(given.params, *at[0]) for at in points]
    return case, given, points


def _size(x: np.ndarray) -> float:
    return 1.0 if is_half(x.dtype) else float(np.abs(x).max(initial=0.0)) or 1.0
