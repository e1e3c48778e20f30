"""The judge's answer as data: a verdict, whose fault it is, and the evidence leaf by leaf."""

from dataclasses import dataclass, field
from typing import Any

from handgrad.data.findings import Finding, LeafReport


@dataclass(frozen=True)
class Judgement:
    """The ruling on a hand-written gradient.

    `verdict` is about the hand-written gradient at the points that were tried, `blame` says which
    witness is off, whatever the verdict: None, "yours", "autodiff" or "both".
    """

    verdict: str  #: one of `handgrad.data.findings.VERDICTS`
    blame: str | None
    headline: str  #: the answer in one line
    observed: tuple[Finding, ...]  #: what was seen at the point that decided; see `findings`
    leaves: tuple[LeafReport, ...]  #: empty where the answer has not the form of a gradient
    warnings: tuple[str, ...]
    certificate: str  #: on what the reference rests, in one sentence
    reproduce: str  #: the call that gives this judgement again
    points: int  #: how many points were judged
    dropped: int  #: how many were left out, because the loss is not finite there
    point: int = 0  #: which one decided; 0 is the caller's own
    params: Any = field(default=None, repr=False, compare=False)  #: that point's parameters
    seconds: float = field(default=0.0, compare=False)
    strict: bool = False  #: whether lost digits are a failure
    #: The case and its outcomes, a `handgrad.judging.outcome.Trial`; None in one that was pickled.
    #: Typed loosely, so that a report can be read without JAX.
    trial: Any = field(default=None, repr=False, compare=False)

    @property
    def passes(self) -> bool:
        """Whether the gradient may be used: `agree`, or `imprecise`, which `strict` turns down."""
        return self.verdict == "agree" or (self.verdict == "imprecise" and not self.strict)
