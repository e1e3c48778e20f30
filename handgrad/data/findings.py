"""The results as data: enclosures, findings, diagnoses, and the report on a leaf."""

import decimal
import math
from dataclasses import dataclass
from typing import NamedTuple, Self

#: Every verdict, from best to worst; `undecidable` is not ranked with them.
VERDICTS = ("agree", "imprecise", "disagree", "undecidable")


#: Kinds of findings that a diagnosis may replace by a better one.
INFERRED = ("unknown", "zero")


#: The confidence in a diagnosis: it explains every digit at fresh points, but is an inference.
CONFIDENCE = 0.99


@dataclass(frozen=True)
class Enclosure:
    """A real number between bounds: it lies within `radius` of `midpoint`.

    Where it is certified, that is proved, of the midpoint before it was rounded to these digits.
    Where it is not, this is what the judge allows an estimate, digits that are cut off included.
    """

    midpoint: str  #: decimal digits, as many as are known, at most 40; float() takes it
    radius: float  #: rounded up; infinite where nothing is known
    certified: bool = True  #: whether the bounds are proved, or an estimate

    def __float__(self) -> float:
        return float(self.midpoint)

    @property
    def name(self) -> str:
        """What reports call it."""
        return "exact" if self.certified else "estimate"

    @property
    def within(self) -> str:
        """The bar of an estimate, ` ± 5.2e-11`, rounded up; nothing where it is certified."""
        if self.certified or not 0 < self.radius < math.inf:
            return ""
        up = decimal.Context(prec=2, rounding=decimal.ROUND_CEILING)
        return f" ± {float(up.create_decimal_from_float(self.radius)):.2g}"

    def ulps(self, value: float) -> float:
        """Return an upper bound of |value - exact| / ulp(exact) of a float64; NaN for NaN."""
        if not math.isfinite(value):
            return abs(value)
        with decimal.localcontext(prec=60):
            gap = float(abs(decimal.Decimal(value) - decimal.Decimal(self.midpoint)))
        return (gap + self.radius) / math.ulp(float(self))

    def __str__(self) -> str:
        return self.midpoint if self.certified else f"{self.midpoint}{self.within} (not certified)"


@dataclass(frozen=True)
class Finding:
    """One observation, and its place."""

    kind: str  #: one of those that docs/checking.md lists
    leaf: str | None  #: the leaf's path, `params['w']`; None for the whole gradient
    index: tuple[int, ...] | None  #: the element within the leaf
    detail: str  #: one sentence for the author of the gradient
    confidence: float  #: 1 if observed directly, less if inferred

    @classmethod
    def of_form(cls, kind: str, leaf: str | None, detail: str) -> Self:
        """Make one that was observed directly, of a leaf or of the whole gradient."""
        return cls(kind, leaf, None, detail, 1.0)


@dataclass(frozen=True)
class Diagnosis:
    """A mistake that explains all wrong elements of some leaves, confirmed at fresh points."""

    kind: str  #: one of those of a finding; `unknown` if it is described but has no name
    says: str  #: one sentence for the author of the gradient
    leaves: tuple[str, ...]  #: the paths of those leaves


@dataclass(frozen=True)
class LeafReport:
    """The ruling on one array of the gradient, by its worst element at the deciding point."""

    path: str  #: `params`, `params['w']`, `params[0].b`
    shape: tuple[int, ...]  #: `()` of a number
    dtype: str  #: `float64`, `float32`, `bfloat16`, ...
    verdict: str  #: as of the report, or `not judged` where no element was among those drawn
    index: tuple[int, ...]  #: the worst element
    yours: float  #: its value in the gradient that is judged
    autodiff: float  #: its value by `jax.grad`; NaN if JAX has none
    exact: Enclosure  #: its exact value
    ulps: float  #: `|yours - exact| / ulp(exact)`; NaN of an estimate that knows no digit
    ulps_autodiff: float  #: `|autodiff - exact| / ulp(exact)`
    sharp: float  #: the largest error that counts as right, at this element
    loose: float  #: the largest error of ordinary rounding, at this element
    detection_limit: float  #: a larger relative error in any element would have been caught
    elements: int  #: how many the leaf has
    judged: int  #: how many of them were judged; all but for the largest gradients
    #: The arithmetic whose rounding counts as right, `bfloat16 with sums in float32`; empty where
    #: data half an ulp away do. Then `detection_limit` is relative to the root mean square of the
    #: leaf.
    arithmetic: str = ""
    factor_limit: float = math.nan  #: a factor farther from 1 would have been caught, if so judged


class NotJudged(NamedTuple):
    """A step that was recorded and could not be judged by itself."""

    name: str  #: that of its functions: `NAME_forward` and `NAME_backward`
    reason: str  #: in words
