"""What was found, as data: enclosures, findings, diagnoses, and the report on a leaf."""

import decimal
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

#: Every verdict, from the best to the worst; `undecidable` stands beside them.
VERDICTS = ("agree", "imprecise", "disagree", "undecidable")


#: Every kind of finding: about the answer's form, about the whole, about its elements.
KINDS = (
    *("structure", "shape", "dtype", "mutation", "not-repeatable", "non-finite", "loss-value"),
    *("sign", "factor", "transposed", "exchanged", "zero", "axis", "activation-derivative"),
    *("weight-decay", "updated-parameter", "convention", "rounding", "unknown"),
)


#: Kinds of findings about wrong elements that a diagnosis may replace by a better one.
INFERRED = ("unknown", "zero")


#: What explains every digit of a gap at fresh points is as good as certain; it is an inference.
CONFIDENCE = 0.99


@dataclass(frozen=True)
class Enclosure:
    """A real number between rigorous bounds: it lies within `radius` of `midpoint`."""

    midpoint: str  #: decimal digits, as many as are certain, at most 40; float() takes it
    radius: float  #: rounded up; infinite where nothing is known
    certified: bool = True  #: whether the bounds are proved, or an estimate

    def __float__(self) -> float:
        return float(self.midpoint)

    def ulps(self, value: float) -> float:
        """How far a float64 is from it: |value - exact| / ulp(exact); NaN of NaN."""
        if not math.isfinite(value):
            return abs(value)
        with decimal.localcontext(prec=60):
            gap = float(abs(decimal.Decimal(value) - decimal.Decimal(self.midpoint)))
        return (gap + self.radius) / float(np.spacing(abs(float(self))))

    def __str__(self) -> str:
        return self.midpoint if self.certified else f"{self.midpoint} (not certified)"


@dataclass(frozen=True)
class Finding:
    """One thing that was found, and where."""

    kind: str  #: one of `KINDS`
    leaf: str | None  #: the leaf's path, `params['w']`; None where it is about the whole
    index: tuple[int, ...] | None  #: the element within the leaf
    detail: str  #: one sentence for the author of the gradient
    confidence: float  #: 1 where it was observed as such, less where it was inferred


@dataclass(frozen=True)
class Diagnosis:
    """A mistake that explains, at fresh points and in every element, how some leaves are wrong."""

    kind: str  #: one of `KINDS`; `unknown` where it has no name there, but can be described
    says: str  #: one sentence for the author of the gradient
    leaves: tuple[str, ...]  #: the paths of those leaves


@dataclass(frozen=True)
class LeafReport:
    """One array of the gradient, by its worst element at the point that decided."""

    path: str  #: `params`, `params['w']`, `params[0].b`
    shape: tuple[int, ...]
    dtype: str
    verdict: str  #: one of `VERDICTS`, or "not judged" where no element was among those drawn
    index: tuple[int, ...]  #: the worst element
    yours: float
    autodiff: float
    exact: Enclosure
    ulps: float  #: |yours - exact| / ulp(exact)
    ulps_autodiff: float  #: |autodiff - exact| / ulp(exact)
    sharp: float  #: how far from exact counts as right, at this element
    loose: float  #: how far ordinary rounding may lead, at this element
    detection_limit: float  #: a larger relative error in any element would have been caught
    elements: int  #: how many the leaf has
    judged: int  #: how many of them were judged; all but for the largest gradients


class NotJudged(NamedTuple):
    """A step that was seen and could not be judged by itself."""

    name: str
    reason: str  #: in words
