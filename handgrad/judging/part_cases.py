"""Cases for parts of a gradient: a backward step.

Each part, here and in `custom_cases`, becomes the gradient of a scalar: applied to a cotangent c,
it must return the gradient of Σ c·output.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import jax
import numpy as np

from handgrad.clock import OutOfTimeError, limited
from handgrad.data.attempts import best_effort
from handgrad.data.brake import braked
from handgrad.data.complex_pairs import holds_complex, in_pairs, joined
from handgrad.data.names import INPUTS, Names, argument_names, numbered
from handgrad.data.point import Point, check_dataclass, native, point_at, shortly
from handgrad.data.pytrees import is_real, is_traced, random_cotangent, split, weighed, wide
from handgrad.data.silent import quiet
from handgrad.judging.case import OF_BACKWARD, Case, Own, check_function, not_judged, takes
from handgrad.judging.claim import Check, OfArguments
from handgrad.judging.complex_cases import cotangent_in_pairs, step_in_real_arrays
from handgrad.judging.form import FaultyFormError, called
from handgrad.judging.options import DEFAULT, Options
from handgrad.judging.pytorch.cases import holds_torch, step_in_arrays
from handgrad.judging.untraceable import calling

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


#: How a backward pass is called; on functions in each other's place.
CALLS = "backward(cotangent, cache), or as backward(*inputs, cotangent)"
EXCHANGED = "were forward and backward given in each other's place?"


@dataclass(frozen=True, eq=False)
class BackwardStep(OfArguments):
    """A backward pass, which is linear in its cotangent."""

    contracted_with = "cotangent"
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    together: Callable[[Any], Any]
    #: What the backward pass raised on JAX's arrays and not on writable NumPy copies of them.
    retried: list[str]
    without: Collection[int] = ()  #: which arrays of floats among the inputs are not judged
    gone: tuple[str, ...] = ()  #: and what they are called
    #: (params, cotangent) -> what `forward` keeps for `backward`, and that, cotangent -> gradient.
    passes: tuple[Callable[..., Any], Callable[..., Any]] | None = None

    def places(self, leaves: Sequence[Any], count: int) -> list[int]:
        """Return which leaves of the inputs are judged."""
        real = super().places(leaves, count + len(self.without))
        return [place for k, place in enumerate(real) if k not in self.without]

    def notes(self) -> tuple[str, ...]:
        """Return the warnings for the report."""
        what = "backward was given writable NumPy copies, as on arrays of jax.numpy it raised "
        notes = (what + self.retried[0],) if self.retried else ()
        return (*notes, not_judged(self.gone, "backward returns None")) if self.gone else notes

    def check(self, case: Case) -> Check:
        """Return the check that gives a case again."""
        there, back = case.own.functions if case.own else (self.forward, self.backward)
        functions = ((there, "forward"), (back, "backward"))
        return Check("assert_backward", functions, self.forward, derivative=1, root="cotangents")

    def again(self, case: Case, given: Point) -> tuple[Case, Point]:
        """Return the case at other inputs, with a cotangent of its own, and its point."""
        step = self.forward, self.backward, self.together(given.params)
        return backward_case(*step, None, case, without=self.without)


def backward_case(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    inputs: tuple[Any, ...],
    cotangent: Any = None,
    options: Options = DEFAULT,
    named: Callable[..., Any] | None = None,
    without: Collection[int] = (),
) -> tuple[Case, Point]:
    """Build the case of a backward step, and its point; see `handgrad.check_backward`.

    The inputs have the names of the arguments of `named`, by default the forward pass. Those of
    their arrays of floats whose numbers are in `without` are not judged.
    """
    names = argument_names(named or forward, len(inputs), numbered(INPUTS, len(inputs)))
    theirs = forward, backward
    there, back = theirs if named else _with_cache(forward, backward, inputs)
    usual = "torch" if holds_torch(inputs) else "jax"
    forward, backward, inputs, cotangent, own = step_in_arrays(there, back, inputs, cotangent)
    if back is not theirs[1]:
        own = replace(own or Own(theirs, lambda *args: args, of_torch=False), functions=theirs)
    step, meant = (forward, backward), options.convention or usual
    given = inputs
    if complex_inputs := holds_complex(inputs):
        forward, backward, inputs, own = step_in_real_arrays(*step, given, meant, own)
    everything, whole, paths = float_inputs(inputs, names)
    kept = [k for k in range(len(everything)) if k not in without]
    real, leaves = [everything[k] for k in kept], tuple(paths[k] for k in kept)
    _check_forward(there, back, inputs)
    check_function("backward", back, (cotangent, None), CALLS)

    def together(params: Any) -> Any:
        others = dict(zip(kept, params, strict=True))
        return whole([others.get(k, array) for k, array in enumerate(everything)])

    with wide(real):
        with calling("forward"):
            output, _ = _passed(step[0](*joined(together(real))))
        if not complex_inputs and holds_complex(output):
            forward, backward, _, own = step_in_real_arrays(*step, given, meant, own)
        if of_complex := complex_inputs or holds_complex(output):
            if cotangent is not None:
                cotangent = cotangent_in_pairs(cotangent, output, meant)
            output = in_pairs(output)
        drawn = random_cotangent(output, options.seed)
        cotangent = _like(drawn if cotangent is None else _shaped(cotangent, drawn), output)
    retried: list[str] = []

    # The cotangent is an input of both, so that a backward pass that writes to it is found.
    def loss(params: Any, cotangent: Any) -> Any:
        return weighed_output(_passed(forward(*together(params)))[0], cotangent)

    def cache(params: Any, _: Any) -> Any:
        return _passed(forward(*together(params)))[1]

    def cotangents(cache: Any, cotangent: Any) -> Any:
        answer = _of_floats(_backward(backward, cotangent, cache, retried), together(real))
        if not isinstance(answer, list) or len(answer) != len(everything):
            return answer
        return [answer[k] for k in kept]

    def gradient(params: Any, cotangent: Any) -> Any:
        return cotangents(cache(params, cotangent), cotangent)

    gone = tuple(paths[k] for k in without)
    claim = BackwardStep(forward, backward, together, retried, without, gone, (cache, cotangents))
    how = {"own": own, "written_as": meant if of_complex else None}
    case = Case(gradient, loss, **options.handed_on(), **how, claim=claim, wording=OF_BACKWARD)
    return case, point_at(list(real), (cotangent,), Names(INPUTS, ("cotangent",), leaves))


def without_cotangent(case: Case, given: Point, seconds: float) -> list[int]:
    """Return which inputs a backward pass returns None for, unless it does for all of them.

    Raises:
        Exception: what it raises.
    """
    if given.not_judged():
        return []
    with (
        calling(case.wording.gradient),
        suppress(OutOfTimeError, FaultyFormError),  # which the judge says
        quiet(),
        limited(seconds) as clock,
        braked(clock),
    ):
        found, _ = called(case, given)
        if isinstance(found, list) and any(cotangent is not None for cotangent in found):
            return [k for k, cotangent in enumerate(found) if cotangent is None]
    return []


def _with_cache(
    forward: Callable[..., Any], backward: Callable[..., Any], inputs: tuple[Any, ...]
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return a step as `forward(*inputs) -> (output, cache)` and `backward(cotangent, cache)`.

    One whose backward pass takes the inputs, and the cotangent after them, keeps these. Of a single
    input both forms have two arguments: it is that one if the forward pass returns no pair.
    """
    of_cache = takes(backward, (None, None))
    if (
        not callable(forward)
        or not takes(backward, (*inputs, None))
        or (of_cache and len(inputs) != 1)
    ):
        return forward, backward
    if of_cache:
        alone = False
        with best_effort(), jax.enable_x64(True):  # what it raises is raised again, and explained
            alone = not _is_pair(forward(*inputs))
        if not alone:
            return forward, backward

    @wraps(forward)
    def passed(*args: Any) -> Any:
        result = forward(*args)
        return (result[0] if _is_pair(result) else result), args

    def went_back(cotangent: Any, args: Any) -> Any:
        return backward(*args, cotangent)

    return passed, went_back


def _backward(backward: Callable[..., Any], cotangent: Any, cache: Any, retried: list[str]) -> Any:
    """Call a backward pass; again with writable NumPy copies if it raises on JAX's arrays.

    NumPy's and compiled code may write to a cache, and what they get of a forward pass in
    `jax.numpy` is read-only. The error is then added to `retried`.
    """
    try:
        return backward(cotangent, cache)
    except Exception as error:  # whatever the caller's function raises
        if not _of_jax((cotangent, cache)):
            raise
        try:
            answer = backward(*_writable((cotangent, cache)))
        except Exception:
            raise error from None
        what = str(error).split("\n")[0].split(". ")[0]
        retried.append(f"{type(error).__name__}: {what}")
        return answer


def _of_jax(tree: Any) -> list[Any]:
    """Return the leaves that are arrays of JAX's and no tracers."""
    leaves = jax.tree_util.tree_leaves(tree)
    return [a for a in leaves if isinstance(a, jax.Array) and not is_traced(a)]


def _writable(tree: Any) -> Any:
    """Copy JAX's arrays to NumPy's."""
    return jax.tree_util.tree_map(lambda leaf: np.array(leaf) if _of_jax(leaf) else leaf, tree)


def float_inputs(
    inputs: tuple[Any, ...], names: tuple[str, ...]
) -> tuple[list[Any], Callable[[Sequence[Any]], Any], tuple[str, ...]]:
    """Return the real arrays of inputs with these names, what replaces them, and their names."""
    inputs = jax.tree_util.tree_map(
        lambda v: np.float64(v) if isinstance(v, float) else v, native(inputs)
    )
    real, together = split(inputs)
    found, _ = jax.tree_util.tree_flatten_with_path(inputs)
    of_all = Names(inputs=names)
    leaves = tuple(of_all.in_inputs(path) for path, leaf in found if is_real(leaf))
    if not real:
        for name, leaf in ((of_all.in_inputs(path), leaf) for path, leaf in found):
            check_dataclass(name, leaf)
        raise TypeError(f"inputs: got {len(inputs)} without floats, expected an array of floats")
    return real, together, leaves


def points_of_part(
    points: Any,
    given: Point,
    among: Callable[..., Any] | None = None,
    without: Collection[int] = (),
) -> Any:
    """Return points as those of the case; each of a list is a tuple of the part's inputs.

    `among` returns the arrays that are judged of such a tuple, by default all real ones but those
    whose numbers are in `without`.

    Raises:
        TypeError: one of a list is no tuple, or has no floats.
    """
    if not isinstance(points, list | tuple):
        return points

    def real(at: Any) -> list[Any]:
        arrays, _ = split(in_pairs(native(at)))
        return [array for k, array in enumerate(arrays) if k not in without]

    among, found = among or real, []
    for i, at in enumerate(points):
        if not isinstance(at, tuple | list):
            what = f"expected a tuple of {given.names.params}"
            raise TypeError(f"points[{i}]: got {shortly(at)}, {what}")
        found.append((among(tuple(at)), *given.inputs))
        if not found[-1][0]:
            arrays = map(np.asarray, jax.tree_util.tree_leaves(at))
            got = ", ".join(f"{a.dtype}{[*a.shape]}" for a in arrays) or "none"
            raise TypeError(f"points[{i}]: got {got}, expected an array of floats")
    return found


def weighed_output(output: Any, cotangent: Any) -> Any:
    """Return Σ c·output over all leaves of the output that have a cotangent."""
    leaves, tree = jax.tree_util.tree_flatten(output)
    pairs = [
        (o, c) for o, c in zip(leaves, tree.flatten_up_to(cotangent), strict=True) if c is not None
    ]
    return weighed([o for o, _ in pairs], [c for _, c in pairs])


def _shaped(cotangent: Any, like: Any) -> Any:
    """Convert the caller's cotangent to the output's dtypes.

    Raises:
        TypeError: its structure or shape is not that of the output, or it holds no numbers.
    """
    leaves, tree = jax.tree_util.tree_flatten(cotangent)
    expected, structure = jax.tree_util.tree_flatten(like)
    shapes = [np.shape(leaf) for leaf in expected]
    arrays = [np.asarray(leaf) for leaf in leaves]
    if tree != structure or [array.shape for array in arrays] != shapes:
        got = ", ".join(str(array.shape) for array in arrays) or "nothing"
        wanted = ", ".join(map(str, shapes))
        raise TypeError(f"cotangent: got {got}, expected {wanted}, shaped like the output")
    if any(array.dtype.kind not in "fiub" for array in arrays):
        raise TypeError(f"cotangent: got {arrays[0].dtype.name}, expected real numbers")
    cast = [a.astype(np.asarray(e).dtype) for a, e in zip(arrays, expected, strict=True)]
    return jax.tree_util.tree_unflatten(structure, cast)


def _like(cotangent: Any, output: Any) -> Any:
    """Copy the cotangent to the output's type of arrays; a backward pass may write to the copy."""

    def like(o: Any, c: Any) -> Any:
        if c is None:
            return None
        return jax.numpy.asarray(c) if isinstance(o, jax.Array) else np.array(c)[()]

    return jax.tree_util.tree_map(like, output, cotangent)


def _check_forward(forward: Any, backward: Any, inputs: tuple[Any, ...]) -> None:
    """Raise TypeError if a forward pass cannot be called; ask if the backward pass could."""
    try:
        check_function("forward", forward, inputs, "forward(*inputs)")
    except TypeError as error:
        if not callable(backward) or not takes(backward, inputs):
            raise
        raise TypeError(f"{error}; {EXCHANGED}") from None


def _is_pair(result: Any) -> bool:
    return isinstance(result, tuple | list) and len(result) == 2


def _passed(result: Any) -> tuple[Any, Any]:
    """Split the result of a forward pass into (output, cache)."""
    if not _is_pair(result):
        what = "expected (output, cache), or a backward(*inputs, cotangent) that needs no cache"
        raise TypeError(f"forward: got {shortly(type(result))}, {what}")
    return result[0], result[1]


def _of_floats(answer: Any, inputs: Any) -> Any:
    """Return the cotangents of the float inputs in order; a result of another form unchanged."""
    if answer is None:
        return None
    if not isinstance(answer, tuple | list):
        answer = (answer,)
    chosen = []
    try:
        for given, got in zip(inputs, answer, strict=True):
            leaves, tree = jax.tree_util.tree_flatten(given)
            if any(map(is_real, leaves)):
                found = [None] * len(leaves) if got is None else tree.flatten_up_to(got)
                parts = zip(leaves, found, strict=True)
                chosen += [part for leaf, part in parts if is_real(leaf)]
    except ValueError:
        return tuple(answer)
    return chosen
