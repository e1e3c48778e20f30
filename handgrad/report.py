"""The reports that the public checks return: a judgement, with everything computed from it.

The numbers of the leaves, diagnoses, steps, the smallest counterexample and the power are computed
on first access.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

from handgrad.clock import Allowance, OutOfTimeError, reported
from handgrad.data.brake import braked
from handgrad.data.findings import CONFIDENCE, INFERRED, Diagnosis, Finding, LeafReport, NotJudged
from handgrad.data.numerals import place, plural
from handgrad.judging.judgement import Judgement, as_json
from handgrad.render import Document, Reading, Renderable, StepsReading, Table
from handgrad.reports import Named, Reports

if TYPE_CHECKING:
    from handgrad.power import Power

#: The part of a check's `seconds` in which a report searches for what it says. With what ends the
#: search and writes it down, reading takes a quarter at most.
FOR_READING = 0.24

#: How much of what is left of that the steps, and the numbers of the leaves, may take.
FOR_PART = 1 / 2

#: Fields of a report that hold the caller's own objects; they are not part of `to_dict`.
_KEPT = ("params", "trial")


@dataclass(frozen=True, repr=False)
class GradientReport(Renderable, Judgement):
    """The report on a hand-written gradient; true exactly if it passes.

    `verdict` is about the hand-written gradient at the points that were tried. `blame` says which
    gradient is off, whatever the verdict: None, "yours", "autodiff" or "both".
    """

    def __bool__(self) -> bool:
        return self.passes

    def __repr__(self) -> str:
        blame = f", blame {self.blame}" if self.blame else ""
        # Not by `leaves`, which may take seconds.
        first = next((found for found in self.observed if found.leaf), None)
        worst = f", worst {first.leaf}{place(first.index)}" if first else ""
        return f"<GradientReport: {self.verdict}{blame}{worst}, {plural(self.points, 'point')}>"

    @classmethod
    def of(cls, judgement: Judgement) -> Self:
        """Make the report on a judgement."""
        return cls(**{f.name: getattr(judgement, f.name) for f in fields(Judgement)})

    def __getstate__(self) -> dict[str, Any]:
        # Includes the cached properties that are data.
        kept = {name: v for name, v in self.__dict__.items() if name != "counterexample"}
        return kept | {"leaves": self.leaves, "trial": None}

    def without_trial(self) -> Self:
        """Return the report on a case that the caller did not write, of which no test is made."""
        without = replace(self, trial=None)
        vars(without).update(leaves=self.leaves)
        return without

    @cached_property
    def _allowance(self) -> Allowance:
        return Allowance(FOR_READING * self.trial.seconds if self.trial else 0.0)

    @cached_property
    def leaves(self) -> tuple[LeafReport, ...]:
        """The worst element of each leaf; empty if the result has not the form of a gradient."""
        if self.trial is None:
            return ()
        from handgrad.judging.verdict import leaves

        with self._allowance.limited(FOR_PART) as clock, braked(clock):
            return leaves(self.trial)

    @cached_property
    def diagnoses(self) -> tuple[Diagnosis, ...]:
        """The kinds of mistake that explain a wrong gradient; computed on first access."""
        return self._diagnosed[0]

    @cached_property
    def _diagnosed(self) -> tuple[tuple[Diagnosis, ...], str]:
        if self._mistake_unknown:
            return (), ""
        from handgrad.diagnosis import diagnosed

        with self._allowance.limited() as clock, braked(clock), reported(clock) as progress:
            progress.at("explaining what is wrong")
            return diagnosed(self.trial)

    @cached_property
    def steps(self) -> "StepsReport | None":
        """The reports on the steps of a wrong gradient.

        Steps are pairs of functions `NAME_forward` and `NAME_backward` that it calls; None if it
        calls none, or there was no time to see. A wrong step may still do no harm, if its error is
        multiplied by 0 later.
        """
        return self._stepwise[0]

    @cached_property
    def _stepwise(self) -> "tuple[StepsReport | None, str]":
        if (
            self.verdict != "disagree"
            or self.trial is None
            or not self.trial.case.claim.is_gradient
        ):
            return None, ""
        if self.trial.outcomes[self.trial.deciding].ruling is None:
            return None, ""
        from handgrad.steps.recorded import steps

        try:
            with self._allowance.limited(FOR_PART) as clock, braked(clock):
                judged, not_judged = steps(self.trial)
        except OutOfTimeError:
            more = self.trial.case.wording.more_seconds
            return None, f"The search for a wrong step was cut when its time was up; {more}."
        reports = [
            StepReport(pair.name, GradientReport.of(judgement)) for pair, judgement in judged
        ]
        found = StepsReport(tuple(reports), not_judged) if judged or not_judged else None
        return found, ""

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, each with the kind that a diagnosis gave it, if any."""
        return tuple(_with_kind(finding, self.diagnoses) for finding in self.observed)

    @cached_property
    def counterexample(self) -> Any:
        """The smallest point found at which the gradient is wrong in the same way.

        A `handgrad.shrinking.counterexample.Counterexample`, whose `as_code()` is a failing test;
        None unless the verdict is `disagree`, after unpickling, with `directions`, and where the
        values of a function are off. The first access takes about half of the check's seconds
        at most.
        """
        if self._mistake_unknown or self.trial.case.claim.order == 0:
            return None
        from handgrad.shrinking.counterexample import counterexample

        return counterexample(self.trial)

    def power(self, test: Callable[[Any], Any] | None = None) -> "Power":
        """Compute which mistakes would have been caught at these points, or by a test of yours.

        Mistakes of every kind are planted in the exact gradient, in every leaf, in elements and in
        every link of the loss's backpropagation; in a matrix, in rows, columns and diagonals.

        Args:
            test: run `test(gradient)` instead, on your function with each mistake put on what it
                returns. It notices one by raising, or by returning False.

        Raises:
            ValueError: the report is pickled, on directions, or on what is wrong; or the test does
                not pass on the function as it is.
            TypeError: the test is no function, or returns something else than a bool or None.
        """
        from handgrad.power import power_of

        return power_of(self.trial, self.verdict, test)

    @property
    def _mistake_unknown(self) -> bool:
        return (
            self.verdict != "disagree"
            or self.trial is None
            or self.trial.case.claim.along_directions
        )

    def _content(self) -> Reading:
        return self.reading

    @property
    def reading(self) -> Reading:
        """The data that the report is rendered from."""
        data = {f.name: getattr(self, f.name) for f in fields(Judgement)}
        steps = None if self.steps is None else self.steps._reading()
        data |= {"leaves": self.leaves, "diagnoses": self.diagnoses, "findings": self.findings}
        cut = " ".join(filter(None, (self._diagnosed[1], self._stepwise[1])))
        return Reading(**data, steps=steps, cut=cut)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the parameters and the trial as data for JSON.

        Returns:
            Strings, numbers, lists and dicts; a number that is not finite is one of the strings
            "nan", "inf" and "-inf". `schema` is the version of the keys.
        """
        names = [f.name for f in fields(self) if f.name not in _KEPT]
        i = names.index("observed")
        names[i : i + 1] = ["findings", "leaves"]
        found = {name: getattr(self, name) for name in names}
        wrong = [] if self.steps is None else self.steps._wrong
        return as_json(found, diagnoses=self.diagnoses, wrong_step=wrong[0].name if wrong else None)


def _with_kind(finding: Finding, diagnoses: Sequence[Diagnosis]) -> Finding:
    """Return a finding with the kind of its diagnosis, unless its kind was observed directly."""
    if finding.kind not in INFERRED:
        return finding
    for diagnosis in diagnoses:
        if finding.leaf in diagnosis.leaves and diagnosis.kind != "unknown":
            return replace(finding, kind=diagnosis.kind, confidence=CONFIDENCE)
    return finding


@dataclass(frozen=True, repr=False)
class StepReport(Named, Renderable):
    """The report on one step; true exactly if its report passes."""

    name: str  #: as given, or that of its functions: `NAME_forward` and `NAME_backward`
    report: GradientReport  #: on its backward pass, for the right cotangent

    def __repr__(self) -> str:
        return f"<StepReport: {self.name}, {self.report!r}>"

    def _content(self) -> Document:
        return Document((f"{self.name}:", self.report.reading))


@dataclass(frozen=True, repr=False)
class StepsReport(Reports):
    """The reports on all steps, in the order of the forward pass; true exactly if they pass."""

    _noun: ClassVar[str] = "step"
    _field: ClassVar[str] = "steps"
    steps: tuple[StepReport, ...]  #: in the order of the forward pass
    not_judged: tuple[NotJudged, ...] = ()  #: in the order of the backward pass

    @property
    def first_wrong(self) -> StepReport | None:
        """The first step on the way back that does not pass; None if all do."""
        return next((step for step in reversed(self.steps) if not step), None)

    @property
    def _wrong(self) -> list[StepReport]:
        """The steps that disagree, in the order of the way back."""
        return [step for step in reversed(self.steps) if step.report.verdict == "disagree"]

    @property
    def headline(self) -> str:
        """The verdict in one line, with the first step on the way back that does not pass."""
        return f"{self.verdict}: {self._headline()}"

    def __repr__(self) -> str:
        first = self.first_wrong
        what = "all pass" if first is None else f"{first.name} is the first that does not pass"
        what = what if self.steps else "does not pass"
        judged = f"{plural(len(self.steps), 'step')} judged"
        left = f", {len(self.not_judged)} not" if self.not_judged else ""
        return f"<StepsReport: {what}, {judged}{left}>"

    def _content(self) -> Document:
        first = self.first_wrong
        # In the order of the backward pass.
        rows = tuple((step.name, step.report.verdict) for step in reversed(self.steps))
        table = Table(rows, indent="  ")
        if not self.steps:
            return Document((self._headline(),))
        if first is None:
            return Document((self._headline(), table))
        return Document((self._headline(), table, first.report.reading))

    def _headline(self) -> str:
        first = self.first_wrong
        if first is None:
            return "Every step back is right." if self.steps else "No step back could be judged."
        others = sum(not step.report.passes for step in self.steps) - 1
        if first.report.verdict == "undecidable":
            how, more = "does not pass", "nor do"
        else:
            how, more = "is wrong", "so is" if others == 1 else "so are"
        rest = f"; {more} {others} before it" if others else ""
        return f"Going back, {first.name} is the first step that {how}{rest}."

    def _reading(self) -> StepsReading:
        wrong, right = self._wrong, sum(map(bool, self.steps))
        names, closer = tuple(s.name for s in wrong), wrong[0].report.reading if wrong else None
        return StepsReading(len(self.steps), right, names, self.not_judged, closer)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as data for JSON."""
        first = self.first_wrong
        return as_json(
            passes=self.passes,
            first_wrong=None if first is None else first.name,
            steps=[{"name": step.name, "report": step.report.to_dict()} for step in self.steps],
            not_judged=[step._asdict() for step in self.not_judged],
        )
