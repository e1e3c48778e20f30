"""Numbers half an ulp away: of data, of a gradient, and of what is stored of it."""

from collections.abc import Callable, Sequence

import numpy as np

from handgrad.arithmetic import balls
from handgrad.data import formats
from handgrad.data.domains.tangent import Tangent
from handgrad.data.point import slices
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.reference import Reference, element_scale
from handgrad.tolerance.perturbed_numpy import moved

#: The sharp tolerance in units. Measured over the models of models/zoo.py (`test_matrix.py`).
SHARP = 64

SHARP_DRAWS, LOOSE_DRAWS = 4, 8

#: The precision in bits that changes of a gradient are computed with.
BITS = 192


def half_ulps(problem: Problem, reference: Reference) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that gives half an ulp of the loss and each element, (1 + size,).

    The ulp is that of the dtype of the leaf. In a short format, whose numbers stand for no others,
    a result is rounded once: `SHARP` of what is returned make half an ulp. The function takes the
    changes of loss and elements for data half an ulp away: an exact zero that changes has no ulp of
    its own, one that does not that of its neighbours.
    """
    loss = np.spacing(abs(float(reference.loss.mid()))) / 2
    zero = balls.contains_zero(reference.gradient)
    sizes = element_scale(problem, reference.gradient, zero)
    if reference.kink is not None:
        sizes = np.fmax(sizes, reference.kink.largest)
    half = np.empty_like(sizes)
    for leaf, part in zip(problem.leaves, slices(problem.leaves), strict=True):
        with np.errstate(over="ignore", invalid="ignore"):
            half[part] = formats.spacing(sizes[part].astype(leaf.dtype)) / 2
    short = formats.of_elements(problem.leaves, "half") > 0
    half, sizes = (np.where(short, each / SHARP, each) for each in (half, sizes))
    half = np.maximum(half, np.finfo(np.float64).smallest_subnormal)

    def after(changes: np.ndarray) -> np.ndarray:
        if reference.kink is not None:
            return np.append(loss, half)
        of_zero = np.where(changes[1:] == 0, sizes, 0.0)
        return np.append(loss, np.where(zero, of_zero, half))

    return after


def stored(tangent: Tangent, *gradients: np.ndarray) -> np.ndarray:
    """Return how far half an ulp of each element moves a projected gradient, (size,).

    In a short format it counts once, as in `half_ulps`.

    Args:
        tangent: the tangent space that is projected on.
        gradients: in float64, (size,), of each element the largest counts; as they are stored,
            before they are projected. What is not finite has no ulp.
    """
    halves = []
    for leaf, part in zip(tangent.leaves, slices(tangent.leaves), strict=True):
        form = formats.of(leaf.dtype)
        sizes = np.max([np.nan_to_num(np.abs(g[part]), posinf=0.0) for g in gradients], axis=0)
        halves.append(form.spacing(sizes) / 2 / (SHARP if form.half else 1))
    return tangent.widened(np.concatenate(halves))


def half_an_ulp_away(arrays: Sequence[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """Return the arrays as balls, every float perturbed by ± half an ulp except 0 and ±1."""
    return [moved(array, rng.choice([-1.0, 1.0], size=np.shape(array))) for array in arrays]
