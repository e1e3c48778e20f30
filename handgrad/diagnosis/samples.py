"""The evidence of a diagnosis: points to fit a kind of mistake at, and points to confirm it at."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

import numpy as np

from handgrad.arithmetic import balls
from handgrad.arithmetic.levels import RIGHT, WRONG
from handgrad.clock import OutOfTimeError
from handgrad.data.attempts import best_effort
from handgrad.data.formats import of
from handgrad.data.point import Point, vector
from handgrad.data.silent import quiet
from handgrad.diagnosis import factors
from handgrad.diagnosis.engine import REFUSED, Engine, engine
from handgrad.judging.case import Case
from handgrad.judging.judge import judge_point
from handgrad.judging.losses import by_calls, prepare
from handgrad.judging.outcome import Trial
from handgrad.judging.ruling import Ruling
from handgrad.judging.trial import points_of
from handgrad.tolerance.stated import Stated

#: The most points to fit a kind of mistake at, and to confirm it at.
FIT, CONFIRM = 2, 4

#: Points drawn beyond those already judged, to find enough where the gradient is wrong; together
#: more than twice what is needed, since the gradient may be right at half of them.
MORE = 8

#: The same of a function that can only be called, which takes about a hundred calls for each
#: parameter: points drawn beyond those already judged, and how many wrong ones are enough then.
FEW, ENOUGH = 2, 3

#: Near 0 functions look linear and their derivatives like constant factors, so leaves smaller than
#: this are also tried at about size 1.
SMALL = 0.1

#: The number of points of that size.
LARGER = 2

#: The relative residual that a fit to rounded numbers may leave: about half of a dtype's digits,
#: since a factor is fitted to differences that may have lost the other half.
LEFT: dict[str, float] = {"float64": 1e-8, "float32": 1e-5}

#: In short formats, which have no digits to lose: the same in their spacing at 1, beside the
#: tolerances, which are large.
LEFT_SHORT = 4

#: A gap this many times the allowed residual stands out from rounding, by three bits.
CLEAR = 8

#: In short formats few gaps do. Those of one bit or more stand out together if they have so many
#: bits, five times those of one: rounding errors of neighbours may depend on each other.
BITS = 15

#: The residual may be this many tolerances: one for the gradient, one for the prediction, which is
#: computed in floats too.
SLACK = 2


@dataclass(frozen=True, eq=False)
class Sample:
    """Yours and the exact gradient at one point; arrays of float64, shape (size,)."""

    given: Point
    yours: np.ndarray
    exact: np.ndarray
    noise: np.ndarray  #: a bound of the rounding error
    wrong: np.ndarray  #: bool
    judged: np.ndarray  #: bool, whether the element is known to be right or wrong
    stated: Stated | None = None  #: what rounding in a short format explains

    @cached_property
    def gap(self) -> np.ndarray:
        """yours - exact; infinite where yours is not finite."""
        with np.errstate(invalid="ignore"):
            gap = self.yours - self.exact
        return np.where(np.isfinite(self.yours), gap, np.inf)

    @cached_property
    def params(self) -> np.ndarray:
        """The parameters in one vector."""
        return vector(self.given.leaves)

    def explained(self, prediction: np.ndarray, within: np.ndarray) -> bool:
        """Tell whether yours is the prediction, up to rounding, at the elements `within`."""
        with np.errstate(invalid="ignore"):
            close = np.abs(self.yours - prediction) <= self.allowed
        return bool((close | ~(within & self.judged)).all())

    def explained_loosely(self, prediction: np.ndarray, within: np.ndarray) -> bool:
        """Tell whether values and sums that are both in a short format explain what is left.

        Then a right gradient, too, may be off by as much here, as `imprecise`.
        """
        if self.stated is None:
            return False
        with np.errstate(invalid="ignore"):
            close = np.abs(self.yours - prediction) <= np.fmax(self.stated.loose, self.allowed)
        return bool((close | ~(within & self.judged)).all())

    def stands_out(self, within: np.ndarray) -> bool:
        """Tell whether a gap at these elements stands out from rounding."""
        concerned = within & self.judged & self.wrong
        if (concerned & (self.allowed <= np.abs(self.gap) / CLEAR)).any():
            return True
        if self.stated is None:
            return False
        with np.errstate(divide="ignore", invalid="ignore"):
            bits = np.log2(np.abs(self.gap) / self.allowed)[concerned]
        return bool(bits[bits >= 1].sum() >= BITS)

    @cached_property
    def allowed(self) -> np.ndarray:
        """The allowed error of a prediction, shape (size,)."""
        formats = [of(leaf.dtype) for leaf in self.given.leaves]
        left = np.repeat(
            [LEFT.get(form.name, LEFT_SHORT * form.eps) for form in formats],
            [leaf.size for leaf in self.given.leaves],
        )
        with np.errstate(invalid="ignore"):
            return np.where(self.wrong, left * np.abs(self.gap), 0.0) + SLACK * self.noise


@dataclass(eq=False)
class Evidence:
    """The evidence of a diagnosis: points to fit at, and fresh ones to confirm at."""

    trial: Trial
    fit: tuple[Sample, ...]
    fresh: tuple[Sample, ...]
    cut: bool = False  #: whether the search for what it shows was cut when its time was up

    @contextmanager
    def in_time(self) -> Iterator[None]:
        """End what is searched within when the time is up, and take that down."""
        try:
            yield
        except OutOfTimeError:
            self.cut = True

    @property
    def all(self) -> tuple[Sample, ...]:
        """All samples, those to fit at first."""
        return self.fit + self.fresh

    @cached_property
    def nonzero(self) -> np.ndarray:
        """The elements, bool, whose exact value is not 0 at some of the points."""
        return np.any([sample.exact != 0 for sample in self.all], axis=0)

    @cached_property
    def engine(self) -> Engine | None:
        """Backpropagation through the loss; None if JAX cannot trace it, or it is too long.

        Values are made by no backpropagation.
        """
        if self.trial.case.claim.is_linear:
            return None
        with best_effort(*REFUSED), self.in_time():
            case, first = self.trial.case, self.fit[0]
            exact = np.where(first.judged, first.exact, np.nan)
            ruling = self.trial.outcomes[self.trial.deciding].ruling
            is_traced = ruling is None or ruling.has_autodiff
            return engine(case.loss, first.given, exact, case.domains, is_traced=is_traced)
        return None

    def name(self, factor: float) -> factors.Name | None:
        """Name a factor by the lengths of arrays, else by the constants in the loss."""
        found = factors.name(factor, self.given)
        if found is None and self.engine is not None:
            found = factors.name(factor, self.given, self.engine.constants)
        return found

    def conclusive(self, sample: Sample) -> np.ndarray:
        """Return the elements, bool, where a mistake can be told from a loss of all digits.

        A right formula may underflow to 0 where the exact value is tiny beside that elsewhere.
        """
        peak = np.max([np.abs(other.exact) for other in self.all], axis=0)
        return (sample.yours != 0) | (np.abs(sample.exact) > np.finfo(float).eps * peak)

    @property
    def given(self) -> Point:
        """The point that decided."""
        return self.trial.outcomes[self.trial.deciding].given

    @cached_property
    def wrong(self) -> np.ndarray:
        """The elements, bool, that are wrong at some of the points."""
        return np.any([sample.wrong for sample in self.all], axis=0)


def is_enough(found: Evidence) -> bool:
    """Tell whether the gradient is wrong at two points, one to fit at and one to confirm at."""
    return sum(bool(sample.wrong.any()) for sample in found.all) >= 2


def collected(trial: Trial) -> tuple[Evidence, bool]:
    """Collect what evidence there is, and tell whether a limit on the time ended that.

    Points where it is right count too: they refute a kind that predicts a wrong gradient there.
    """
    wrong: list[Sample] = []
    right: list[Sample] = []
    cut = False
    try:
        for ruling in _rulings(trial, wrong):
            if trial.only_called and trial.outcomes[0].whole and not ruling.reference.known.all():
                raise OutOfTimeError  # there was no time for more than a sample
            sample = sample_of(ruling)
            if sample.wrong.any():
                wrong.append(sample)
            elif ruling.reference.kink is None:
                right.append(sample)
            if len(wrong) == FIT + CONFIRM:
                break
    except OutOfTimeError:
        cut = True
    fit = min(FIT, max(1, len(wrong) - 1))
    return Evidence(trial, tuple(wrong[:fit]), (*wrong[fit:], *right[:CONFIRM])), cut


def _rulings(trial: Trial, wrong: Sequence[Sample]) -> Iterator[Ruling]:
    """Yield the rulings of the trial, the deciding one first, and those of new points.

    `wrong` is what was found wrong of them so far.

    At a kink several gradients are right, and the one nearest to the wrong one need not be the one
    that its author meant; so such points come last.
    """
    first = trial.outcomes[trial.deciding]
    judged = [o.ruling for o in (first, *trial.outcomes) if o.ruling is not None]
    judged = list({id(ruling): ruling for ruling in judged}.values())
    smooth = [ruling for ruling in judged if ruling.reference.kink is None]
    yield from smooth[:1]
    yield from _judged(trial, _larger(trial.case, first.given))
    yield from smooth[1:]
    called = trial.loss is not None and by_calls(trial.loss, first.given)
    more = FEW if trial.only_called else MORE
    around = points_of(trial.case, first.given, more, trial.case.seed + 1, called)
    next(around)
    if trial.only_called:
        around = takewhile(lambda _: len(wrong) < ENOUGH, around)
    yield from _judged(trial, around)
    yield from (ruling for ruling in judged if ruling.reference.kink is not None)


def _judged(trial: Trial, fresh: Iterator[Point]) -> Iterator[Ruling]:
    loss = trial.loss
    for given in fresh:
        ruling = None
        with best_effort(), quiet():
            loss = loss or prepare(trial.case, given)
            ruling = judge_point(loss, given).ruling
        if ruling is not None:
            yield ruling


def _larger(case: Case, given: Point) -> Iterator[Point]:
    """Yield points at which small leaves have about size 1."""
    small = [np.max(np.abs(leaf), initial=0.0) < SMALL for leaf in given.leaves]
    rng = np.random.default_rng(case.seed + 2)
    for _ in range(LARGER if any(small) else 0):
        grown = [
            np.asarray(leaf + rng.standard_normal(leaf.shape), leaf.dtype) if grows else leaf
            for leaf, grows in zip(given.leaves, small, strict=True)
        ]
        yield case.moved(given, grown)


def sample_of(ruling: Ruling) -> Sample:
    """Return the sample at a point that was judged."""
    yours = ruling.yours
    noise, loose = ruling.tolerance.sharp, ruling.tolerance.loose
    if ruling.tolerance.stated is None:
        noise = np.maximum(noise, loose)
    return Sample(
        ruling.given,
        yours.answer,
        balls.midpoints(yours.reference),
        np.where(np.isfinite(noise), noise, np.inf),
        (yours.level == WRONG) & np.isfinite(yours.answer),
        ruling.reference.known & np.isin(yours.level, (RIGHT, WRONG)) & np.isfinite(yours.answer),
        ruling.tolerance.stated,
    )
