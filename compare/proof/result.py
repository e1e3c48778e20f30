"""The result of a requested proof, as data for JSON and the terminal."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from compare.proof.formula import Writer
from compare.proof.least_squares import gradient_of_loss, stationary_point
from compare.proof.lemmas import Lemma, of_units, slope_of_sigmoid
from compare.proof.number import InexactError
from compare.proof.prove import PROVED, REFUTED, UNDECIDED, Proof, prove
from compare.proof.request import ProofRequest
from compare.proof.subject import Subject
from compare.recording.formula import LATEX


@dataclass(frozen=True)
class Result:
    """The request, the proof and the lemmas."""

    request: ProofRequest
    subject: Subject
    proof: Proof | None  #: None if the lines do not compute a formula over the real numbers
    reason: str | None  #: why something is undecided
    also: tuple[Lemma, ...]

    @property
    def verdict(self) -> str:
        """`proved`, `refuted` or `undecided`."""
        if self.proof is None:
            return UNDECIDED
        if self.proof.verdict == PROVED and not all(lemma.proved for lemma in self.also):
            return UNDECIDED
        return self.proof.verdict

    def as_object(self) -> dict[str, Any]:
        """Return the result for JSON, without the time."""
        names = self.subject.parameters
        partials = [{"name": name, "verdict": UNDECIDED, "latex": None} for name in names]
        if self.proof is not None:
            writer = Writer(self.proof, LATEX)
            partials = [
                {"name": of.name, "verdict": of.verdict, "latex": writer.tree(of.by_hand)}
                for of in self.proof.partials
            ]
        return {
            "verdict": self.verdict,
            **self.request.about(),
            "of": self.request.differentiated,
            "partials": partials,
            "also": [
                {
                    "name": lemma.name,
                    "says": lemma.says,
                    "proved": lemma.proved,
                    "latex": lemma.latex,
                }
                for lemma in self.also
            ],
            **self._found(),
        }

    def _found(self) -> dict[str, Any]:
        found: dict[str, Any] = {} if self.reason is None else {"reason": self.reason}
        if self.proof is None:
            return found
        kinks = Writer(self.proof).kinks(self.proof.kinks)
        found |= {"cases": self.proof.cases, "kinks": kinks}
        if (partial := self.proof.refutation) and (wrong := partial.difference):
            point = {name: str(value) for name, value in wrong.point.items()}
            found |= {"partial": partial.name, "point": point}
            found |= {"by_hand": wrong.by_hand, "exact": wrong.exact}
        return found


def result(request: ProofRequest, subject: Subject, on_partial: Callable[[int], None]) -> Result:
    """Prove the subject and, unless a mistake is planted, the lemmas.

    Args:
        request: the options.
        subject: the subject that they describe.
        on_partial: called with the number of partial derivatives done.
    """
    try:
        proof = prove(subject, on_partial)
    except InexactError as error:
        reason = (
            f"{error}, so the lines are no formula over the real numbers; what is wrong with "
            "them, if anything, is in floating point"
        )
        return Result(request, subject, None, reason, ())
    also: tuple[Lemma, ...] = ()
    if request.plant is None:
        units = () if proof.permutes is None else (of_units(proof.permutes),)
        also = (slope_of_sigmoid(), *units, gradient_of_loss(), stationary_point())
    return Result(request, subject, proof, _reason(proof, also), also)


def _reason(proof: Proof, also: tuple[Lemma, ...]) -> str | None:
    if proof.verdict == REFUTED:
        return None
    if proof.verdict == UNDECIDED:
        open_ = ", ".join(f"∂L/∂{of.name}" for of in proof.partials if of.verdict == UNDECIDED)
        if proof.field.unproved:
            return f"{open_}: a number that is divided by, or whose sign is taken, may be 0"
        return f"{open_}: the formulas differ, and no point was found at which their values do"
    missing = ", ".join(lemma.name for lemma in also if not lemma.proved)
    return f"not proved: {missing}" if missing else None
