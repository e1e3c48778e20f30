"""The outcome of each point, and the trial that collects them."""

from collections.abc import Sequence
from dataclasses import dataclass

from handgrad.arithmetic.levels import WRONG
from handgrad.clock import SECONDS
from handgrad.data.findings import Finding
from handgrad.data.point import Point
from handgrad.judging.black_box import BlackBox
from handgrad.judging.case import Case
from handgrad.judging.linearity import Other
from handgrad.judging.losses import PreparedLoss
from handgrad.judging.ruling import Ruling
from handgrad.judging.variation import Variation


@dataclass(frozen=True, eq=False)
class Outcome:
    """The outcome of one point: a ruling, or the reason why there is none."""

    given: Point
    ruling: Ruling | None = None
    cause: str | None = None  #: why the point could not be judged
    dropped: bool = False  #: whether the loss is not finite there
    findings: tuple[Finding, ...] = ()
    value: "Value | None" = None  #: the loss, if the gradient returns it
    shorter: tuple[Finding, ...] = ()  #: leaves in float32 for parameters in float64
    #: How far calls of the gradient lie apart, if they do, by no more than rounding costs.
    varies: Variation | None = None

    @property
    def whole(self) -> bool:
        """Whether every element was certified, if any was."""
        return self.ruling is None or bool(self.ruling.reference.known.all())

    @property
    def wrong(self) -> bool:
        """Whether the gradient is wrong at this point: in its form, in an element, in the loss."""
        in_an_element = self.ruling is not None and self.ruling.yours.worst == WRONG
        in_the_loss = self.value is not None and not self.value.right
        return bool(self.findings) or in_an_element or in_the_loss


@dataclass(frozen=True, eq=False)
class Trial:
    """A case and its outcomes, kept for diagnosis, shrinking and power later."""

    case: Case
    outcomes: tuple[Outcome, ...]  #: the caller's point first
    loss: PreparedLoss | None = None  #: None where no point was judged
    stopped: str | None = None  #: what ended it before all points were judged; a warning
    interrupted: bool = False  #: whether that was Ctrl-C
    others: Sequence[Other] = ()  #: where the case does not seem to be linear
    seconds: float = SECONDS  #: how long it might take

    @property
    def deciding(self) -> int:
        """The number of the deciding point: the first wrong one, else the caller's."""
        return next((i for i, outcome in enumerate(self.outcomes) if outcome.wrong), 0)

    @property
    def only_called(self) -> bool:
        """Whether differences of the loss judge, so that each point takes many calls of it."""
        ruling = self.outcomes[self.deciding].ruling
        return isinstance(self.loss, BlackBox) or bool(ruling and ruling.reference.obstacle)

    @property
    def varies(self) -> Variation | None:
        """How far calls of the gradient lie apart at the point where it is farthest, if they do."""
        found = [outcome.varies for outcome in self.outcomes if outcome.varies]
        return max(found, key=lambda variation: variation.ulps, default=None)


@dataclass(frozen=True)
class Value:
    """The loss that a gradient function returned with the gradient."""

    yours: float
    exact: float
    right: bool  #: whether conditioning and rounding explain the difference
