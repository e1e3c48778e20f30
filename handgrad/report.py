"""The answer of the judge as data: a verdict, whose fault it is, and the evidence leaf by leaf."""

import decimal
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np

#: Every verdict, from the best to the worst; `undecidable` stands beside them.
VERDICTS = ("agree", "imprecise", "disagree", "undecidable")

#: Every kind of finding: about the answer's form, about the whole, about its elements.
KINDS = (
    *("structure", "shape", "dtype", "mutation", "not-repeatable", "non-finite", "loss-value"),
    *("sign", "factor", "transposed", "exchanged", "zero", "axis", "activation-derivative"),
    *("weight-decay", "updated-parameter", "convention", "rounding", "unknown"),
)

#: Fields of a report that hold the caller's own objects, and are not data.
_KEPT = ("params", "trial")


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
class LeafReport:
    """One array of the gradient, by its worst element at the point that decided."""

    path: str  #: `params`, `params['w']`, `params[0].b`
    shape: tuple[int, ...]
    dtype: str
    verdict: str
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


@dataclass(frozen=True)
class GradientReport:
    """The ruling on a hand-written gradient.

    `verdict` is about the hand-written gradient at the points that were tried, `blame` says which
    witness is off, whatever the verdict: None, "yours", "autodiff" or "both".
    """

    verdict: str  #: one of `VERDICTS`
    blame: str | None
    headline: str  #: the answer in one line
    findings: tuple[Finding, ...]
    leaves: tuple[LeafReport, ...]  #: empty where the answer has not the form of a gradient
    warnings: tuple[str, ...]
    certificate: str  #: on what the truth rests, in one sentence
    reproduce: str  #: the call that gives this report again
    points: int  #: how many points were judged
    dropped: int  #: how many were left out, because the loss is not finite there
    point: int = 0  #: which one decided; 0 is the caller's own
    params: Any = field(default=None, repr=False, compare=False)  #: that point's parameters
    seconds: float = field(default=0.0, compare=False)
    strict: bool = False  #: whether lost digits are a failure
    #: What was tried and what came of it, a `handgrad.judge.Trial`; a pickled report goes without.
    trial: Any = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {f.name: None if f.name == "trial" else getattr(self, f.name) for f in fields(self)}

    @property
    def passes(self) -> bool:
        """Whether the gradient may be used: `agree`, or `imprecise`, which `strict` turns down."""
        return self.verdict == "agree" or (self.verdict == "imprecise" and not self.strict)

    def __str__(self) -> str:
        from handgrad.render import as_text

        return as_text(self)

    def __rich__(self) -> Any:
        from handgrad.render.terminal import as_rich

        return as_rich(self)

    def _repr_html_(self) -> str:
        from handgrad.render.html import as_html

        return as_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the parameters and the trial, for machines.

        Returns:
            Strings, numbers, lists and dicts, which JSON takes: a number that is not finite is one
            of the strings "nan", "inf" and "-inf".
        """
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self) if f.name not in _KEPT}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    if hasattr(value, "item"):  # NumPy's scalars
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
