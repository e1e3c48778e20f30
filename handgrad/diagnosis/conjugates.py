"""Propose that a gradient by complex numbers is the conjugate of the right one, or half of it.

Its real and its imaginary part are two leaves, `z.real` and `z.imag`, of which a gradient in the
other convention has one right and the other with the wrong sign.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from handgrad.data.complex_pairs import CONVENTIONS, Pair, is_pair
from handgrad.data.point import Point, vector
from handgrad.diagnosis.rearranged import moved
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.diagnosis.theory import Theory
from handgrad.judging.case import Case

#: What a convention is called.
OF = {"jax": "JAX's", "torch": "PyTorch's"}

#: The start of the message for a derivative that is right in the other convention.
RIGHT_IN = {
    asked: f"yours is right in {OF[other]} convention, and {OF[asked]}"
    for asked, other in zip(CONVENTIONS, reversed(CONVENTIONS), strict=True)
}

#: The message where the caller chooses the convention.
OTHER = {
    asked: f'{RIGHT_IN[asked]} was asked for: pass convention="{other}", or take the conjugate'
    for asked, other in zip(CONVENTIONS, reversed(CONVENTIONS), strict=True)
}

REAL, IMAG = ".real", ".imag"

#: How Wirtinger's derivatives are related to a gradient.
WIRTINGER = "a derivative of Wirtinger's, by z or by its conjugate, is half of a gradient"


def conjugates(evidence: Evidence, within: np.ndarray) -> Iterator[Theory]:
    """Propose the conjugate of all, of some arrays, or Wirtinger's half."""
    case, given = evidence.trial.case, evidence.given
    names = _complex_arrays(given)
    if case.written_as is None or not names:
        return
    flipped = _signs(given, names)
    if within.all():
        if 2 * len(names) == len(given.paths):
            half = moved(slice(None), weights=0.5)
            yield Theory("factor", f"every element is 1/2 of exact: {WIRTINGER}", half)
        asked = case.written_as
        says = OTHER[asked]
        if not case.claim.chooses_convention:
            says = f"{RIGHT_IN[asked]} is that of its rules: take the conjugate"
        yield Theory("convention", says, lambda sample: _in_other(case, sample, flipped))
    wrong = evidence.wrong & within
    some = [name for name in names if wrong[_part(given, name + IMAG)].any()]
    if not some or (wrong & (flipped > 0)).any():
        return
    signs = _signs(given, some)
    says = "yours has the sign of the conjugate"
    yield Theory("sign", says, moved(slice(None), weights=np.where(within, signs, 1)))


def _complex_arrays(given: Point) -> list[str]:
    """Return the names of the arrays whose parts are leaves."""
    paths = set(given.paths)
    stems = (path.removesuffix(REAL) for path in given.paths if path.endswith(REAL))
    return [stem for stem in stems if stem + IMAG in paths]


def _part(given: Point, path: str) -> slice:
    return given.parts()[given.paths.index(path)]


def _signs(given: Point, names: list[str]) -> np.ndarray:
    """Return -1 for the imaginary parts of these arrays, and 1 for all else, (size,)."""
    signs = np.ones(given.size)
    for name in names:
        signs[_part(given, name + IMAG)] = -1
    return signs


def _in_other(case: Case, sample: Sample, signs: np.ndarray) -> np.ndarray:
    """Return yours, less the error that is left of it in the other convention.

    A cotangent is then another one as well, so that the backward pass is called again.
    """
    answer = sample.yours
    if case.claim.contracted_with == "cotangent":
        cotangent, *others = sample.given.inputs
        inputs = (_conjugate(cotangent), *others)
        found, _ = replace(sample.given, inputs=inputs).call(case.gradient)
        answer = vector([np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(found)])
    return sample.yours - (signs * answer - sample.exact)


def _conjugate(tree: Any) -> Any:
    return jax.tree_util.tree_map(
        lambda leaf: Pair(leaf.real, -leaf.imag) if is_pair(leaf) else leaf, tree, is_leaf=is_pair
    )
