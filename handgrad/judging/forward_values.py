"""The values of a function whose derivative is judged by a reference: are they the reference's?

A kernel cannot be looked into, so its derivative is held to that of a reference, another function
of the same arguments; which says nothing if the two compute different things. So the values come
first. For the loss L(c) = Σ c·reference(args), linear in c, the gradient by c is the reference's
result. So judging args -> f(args) as a gradient of L certifies every element of every output, and
derives its tolerances, as for any gradient.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from handgrad.data.complex_pairs import in_pairs
from handgrad.data.names import Names
from handgrad.data.point import Point, copied, point_at
from handgrad.data.pytrees import is_real, weighed, wide
from handgrad.judging.case import OF_REFERENCE, Case
from handgrad.judging.claim import Check, Claim
from handgrad.judging.untraceable import calling

#: What messages call the outputs of a function.
OUTPUT = "output"


@dataclass(frozen=True, eq=False)
class Referenced:
    """A function, and another one that says what its results should be.

    Both take the float arrays among the arguments, and return the float arrays of the result, in
    its order.
    """

    f: Callable[[Sequence[Any]], list[Any]]
    reference: Callable[[Sequence[Any]], list[Any]]
    outputs: dict[str, Any]  #: the arrays of f at the caller's point, by their paths
    name: str  #: what f is called
    why: str | None = None  #: what it means that a value is wrong; by default that they differ

    def cotangents(self, seed: int) -> list[np.ndarray]:
        """Draw a number beside each of the outputs, in its dtype."""
        rng, outputs = np.random.default_rng(seed), map(np.asarray, self.outputs.values())
        return [np.asarray(rng.standard_normal(o.shape), o.dtype) for o in outputs]


@dataclass(frozen=True, eq=False)
class ForwardValues(Claim):
    """The values of a function, by the numbers beside its outputs."""

    order = 0
    is_gradient = False
    own_points = True
    is_linear = True
    given: Point  #: the caller's
    why: str  #: what it means that a value is wrong

    def of_caller(self, given: Point) -> Point:
        """Return the caller's point with the arguments of one of the case."""
        return self.given.at(list(given.inputs), self.given.inputs)

    def varied(self, given: Point, moved: Point) -> Point:
        """Return a point of the case at other arguments."""
        return replace(given, inputs=tuple(moved.params))

    def check(self, case: Case) -> Check:
        """Return the check that gives a case again; no function of the caller's is a derivative."""
        functions = ((case.gradient, "gradient"), (case.loss, "loss"))
        return Check("assert_gradient", functions, case.loss, derivative=None)


def referenced(
    f: Callable[..., Any],
    reference: Callable[..., Any],
    real: Sequence[Any],
    together: Callable[[Sequence[Any]], Sequence[Any]],
) -> Referenced:
    """Pair a function with its reference.

    Args:
        f: the function that is judged; its result is any pytree of arrays, in NumPy or JAX.
        reference: a function of the same arguments in JAX or NumPy, with as many arrays of floats
            in its result, of the same shapes. Each is judged in the dtype that f gives it.
        real: the float arrays among the arguments.
        together: makes the arguments of both functions from these.

    Raises:
        TypeError: the results of the two have not the same floats, or that of f has no floats.
        Exception: what the functions raise.
    """

    def called(name: str, function: Callable[..., Any]) -> Any:
        with wide(real), calling(name):
            return function(*together(copied(list(real))))

    outputs, of_f = float_outputs(called("f", f))
    theirs, of_reference = float_outputs(called("reference", reference))
    _check_alike(outputs, theirs)
    return Referenced(
        lambda real: of_f(f(*together(real))),
        lambda real: of_reference(reference(*together(real))),
        outputs,
        getattr(f, "__name__", "f"),
    )


def values_case(pair: Referenced, given: Point, case: Case) -> tuple[Case, Point]:
    """Build the case that a function has the values of its reference, and its point.

    Args:
        pair: the two.
        given: the point at which the derivative is judged, whose parameters are a list of the
            float arrays among the arguments.
        case: that of the derivative; the referee is chosen anew.
    """

    def loss(cotangents: Any, *real: Any) -> Any:
        return weighed(pair.reference(real), cotangents)

    def values(_: Any, *real: Any) -> Any:
        return pair.f(real)

    names = Names(OUTPUT, given.paths, tuple(pair.outputs))
    # The values do not depend on the cotangents.
    at = point_at(pair.cotangents(case.seed), tuple(given.params), names)
    differ = f"{pair.name} and the reference differ, so the derivative was not judged"
    claim = ForwardValues(given, pair.why or differ)
    wording = OF_REFERENCE._replace(gradient=pair.name)
    own = case.handed_on(referee="auto", has_value=False)
    return Case(values, loss, **own, claim=claim, wording=wording, domains=case.domains), at


def float_outputs(output: Any) -> tuple[dict[str, Any], Callable[[Any], list[Any]]]:
    """Return the arrays of floats in a result by their paths, and what selects them in others.

    Of a complex array these are its parts.
    """
    found, _ = jax.tree_util.tree_flatten_with_path(in_pairs(output))
    places = [i for i, (_, leaf) in enumerate(found) if is_float(leaf)]

    def select(other: Any) -> list[Any]:
        # By place, since on power series there are no dtypes.
        leaves = jax.tree_util.tree_leaves(in_pairs(other))
        return [leaves[i] for i in places if i < len(leaves)]

    return {OUTPUT + jax.tree_util.keystr(found[i][0]): found[i][1] for i in places}, select


def is_float(leaf: Any) -> bool:
    """Tell whether a leaf of a result is a float, or an array of them."""
    return isinstance(leaf, float) or is_real(leaf)


def _check_alike(outputs: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Raise TypeError unless the reference has the outputs of the function."""
    if not outputs:
        raise TypeError("f: got a result without floats, expected an array of floats")
    if len(theirs) != len(outputs):
        raise TypeError(
            f"reference: got {len(theirs)} arrays of floats ({', '.join(theirs) or 'none'}), "
            f"expected {len(outputs)} as of f ({', '.join(outputs)})"
        )
    for (path, mine), other in zip(outputs.items(), theirs.values(), strict=True):
        if np.shape(mine) != np.shape(other):
            got = f"got shape {np.shape(other)} for {path}"
            raise TypeError(f"reference: {got}, expected {np.shape(mine)} as of f")
