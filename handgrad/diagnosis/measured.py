"""A factor of a whole leaf, measured where rounding in a short format leaves single elements open.

In ten operations in bfloat16 an element may be off by as much as a factor of 1.1 makes it. But
rounding has no direction, so the projection of a leaf's error on the exact gradient tells a factor
(`handgrad.tolerance.stated`), and how far off that may be.
"""

import math

import numpy as np

from handgrad.data import formats
from handgrad.data.findings import Diagnosis
from handgrad.data.numerals import short
from handgrad.diagnosis import factors
from handgrad.diagnosis.samples import Evidence, Sample
from handgrad.tolerance.stated import Stated, projection, spread

#: One number may as well lack a term, and of few the projection is that of one.
LEAST = 4


def measured_factor(evidence: Evidence, k: int) -> Diagnosis | None:
    """Return that a leaf is about so many times exact, if that leaves nothing but rounding.

    It must be so at all points, and by more than rounding explains at two of them.
    """
    leaf, path = evidence.given.leaves[k], evidence.given.paths[k]
    if leaf.size < LEAST or not formats.is_half(leaf.dtype):
        return None
    found = [_measured(sample, k) for sample in evidence.all]
    if None in found or len(found) < 2:
        return None
    excess, allowed = np.transpose([each for each in found if each is not None])
    weights = allowed**-2.0
    mean, precision = float(np.sum(weights * excess) / np.sum(weights)), float(np.min(allowed))
    if (np.abs(excess) > allowed).sum() < 2 or (np.abs(excess - mean) > allowed).any():
        return None
    factor = 1 + mean
    if not all(_rest_is_rounding(sample, k, factor) for sample in evidence.all):
        return None
    near = factors.likely(factor, evidence.given)
    if near:
        named = factors.part(near[0], evidence.name(near[0]), "exact")
        return Diagnosis("factor", f"every element of {path} is {named}", (path,))
    digits = max(1, 1 + math.floor(math.log10(abs(factor))) - math.floor(math.log10(precision)))
    says = f"all of {path} is about {short(factor, digits)} times exact, to {short(precision, 1)}"
    return Diagnosis("unknown", f"{says}, as far as rounding lets that be measured", (path,))


def _measured(sample: Sample, k: int) -> tuple[float, float] | None:
    """Return how far the factor of a leaf is from 1, and by how much rounding may move that."""
    part, stated = sample.given.parts()[k], sample.stated
    if stated is None or not _known(sample, stated, k):
        return None
    return projection(sample.exact[part], sample.gap[part]), float(stated.along[k])


def _known(sample: Sample, stated: Stated, k: int) -> bool:
    part = sample.given.parts()[k]
    values = (sample.exact[part], sample.gap[part], stated.error[part], stated.along[k])
    return all(np.isfinite(value).all() for value in values) and bool(sample.exact[part].any())


def _rest_is_rounding(sample: Sample, k: int, factor: float) -> bool:
    part, stated = sample.given.parts()[k], sample.stated
    if stated is None:
        return False
    scaled = factor * sample.exact[part]
    half = formats.of(sample.given.leaves[k].dtype).spacing(np.abs(scaled)) / 2
    error = np.maximum(np.abs(sample.yours[part] - scaled) - half, 0)
    explained = abs(factor) * stated.error[part]
    return bool((error <= explained).all()) and spread(error, explained, scaled)
