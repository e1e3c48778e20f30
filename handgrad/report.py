"""The answer of the judge as data: a verdict, whose fault it is, and the evidence leaf by leaf."""

import decimal
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from handgrad.power import Power
    from handgrad.steps import StepsReport

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


@dataclass(frozen=True)
class GradientReport:
    """The ruling on a hand-written gradient.

    `verdict` is about the hand-written gradient at the points that were tried, `blame` says which
    witness is off, whatever the verdict: None, "yours", "autodiff" or "both".
    """

    verdict: str  #: one of `VERDICTS`
    blame: str | None
    headline: str  #: the answer in one line
    observed: tuple[Finding, ...]  #: what was seen at the point that decided; see `findings`
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
    #: What was tried and what came of it, a `handgrad.judging.judge.Trial`; a pickled report goes
    #: without.
    trial: Any = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        # With what has been worked out so far, which is data.
        return self.__dict__ | {"trial": None}

    @cached_property
    def diagnoses(self) -> tuple[Diagnosis, ...]:
        """What kinds of mistake explain a wrong gradient; worked out when first asked for."""
        if self.trial is None or self.verdict != "disagree":
            return ()
        from handgrad.diagnosis import diagnose

        return diagnose(self.trial)

    @cached_property
    def steps(self) -> "StepsReport | None":
        """The rulings on the steps that a wrong gradient is made of.

        Steps are pairs of functions `NAME_forward` and `NAME_backward` that it calls; None if it
        calls none. To see whether a wrong one is to blame, the gradient is run with another
        function under the step's name, in all modules that know it; afterwards all is as before.
        """
        if not self.leaves or self.trial is None or self.verdict != "disagree":
            return None
        from handgrad.steps.recorded import steps

        return None if self.trial.case.part else steps(self.trial)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was found, each by its kind as far as a diagnosis could tell it."""
        return tuple(_with_kind(finding, self.diagnoses) for finding in self.observed)

    @property
    def counterexample(self) -> Any:
        """The smallest point found at which the gradient is wrong in the same way.

        A `handgrad.smallest.counterexample.Counterexample`, whose `as_code()` is a test that fails;
        None unless the verdict is `disagree`, and of a report that was pickled. Takes about ten
        seconds at most, when first asked for.
        """
        if self.trial is None or self.verdict != "disagree":
            return None
        from handgrad.smallest.counterexample import counterexample

        return counterexample(self.trial)

    def power(self) -> "Power":
        """Which mistakes would have been caught at these points, had they been made.

        Mistakes of every kind are planted in the exact gradient, in every leaf, in single elements,
        and in every link of the loss's backpropagation. Takes seconds.

        Raises:
            ValueError: the report was pickled, and its points were left behind.
        """
        from handgrad.power import power

        if self.trial is None:
            raise ValueError("power: a report that was pickled has no points; expected a fresh one")
        return power(self.trial)

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
        names = ("findings" if f.name == "observed" else f.name for f in fields(self))
        found = {name: _plain(getattr(self, name)) for name in names if name not in _KEPT}
        first = self.steps.first_guilty if self.steps else None
        return found | {
            "diagnoses": _plain(self.diagnoses),
            "guilty_step": first and first.name,
        }


def _with_kind(finding: Finding, diagnoses: Sequence[Diagnosis]) -> Finding:
    """A finding with the kind that a diagnosis gives it, unless it was observed as what it is."""
    if finding.kind not in INFERRED:
        return finding
    for diagnosis in diagnoses:
        if finding.leaf in diagnosis.leaves and diagnosis.kind != "unknown":
            return replace(finding, kind=diagnosis.kind, confidence=CONFIDENCE)
    return finding


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
