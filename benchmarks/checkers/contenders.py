"""The checkers that are compared; a new one is a row of `CONTENDERS`."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.checkers import peers
from benchmarks.checkers.question import NO_ANSWER, RIGHT, WRONG, Answer, Question, simple
from benchmarks.contenders.peers.importing import HINT

if TYPE_CHECKING:
    from handgrad import GradientReport

#: `handgrad`'s verdicts; lost digits are a warning, not a false alarm.
VERDICTS = {"agree": RIGHT, "imprecise": RIGHT, "disagree": WRONG, "undecidable": NO_ANSWER}

#: Findings that blame no parameter: lost digits, and another valid choice at a kink.
NO_BLAME = ("rounding", "convention")


@dataclass(frozen=True)
class Contender:
    """A checker: its name, the package it needs, and the function that runs it.

    The functions are those of a module, so that another process can run them.
    """

    name: str
    package: str
    ask: Callable[[Any], Answer]  #: takes a `Question`, or what `Case.build` makes in its place
    first: Callable[[], Any] = simple  #: makes a question on which it loads what it needs

    def absent(self) -> str | None:
        """Why the checker cannot run here, or None."""
        if importlib.util.find_spec(self.package) is None:
            return f"{self.package} is {HINT}"
        return None


def check_gradient(question: Question) -> Answer:
    """Run `handgrad.check_gradient` at the given point and its eight default ones."""
    from handgrad import check_gradient

    params, *inputs = question.point()
    return answer_of(check_gradient(question.gradient, question.loss, params, *inputs))


def answer_of(report: "GradientReport", lines: tuple[str, ...] = ()) -> Answer:
    """Return what a report of handgrad's says, and the lines that it names."""
    verdict = VERDICTS[report.verdict]
    blamed = [found.leaf for found in report.findings if found.leaf and found.kind not in NO_BLAME]
    return Answer(
        verdict,
        reason="undecidable" if verdict == NO_ANSWER else "",
        leaves=tuple(dict.fromkeys(blamed)),
        kinds=tuple(dict.fromkeys(found.kind for found in report.findings)),
        message=report.headline,
        lines=lines,
    )


CONTENDERS = (
    Contender("handgrad.check_gradient", "handgrad", check_gradient),
    Contender("jax.test_util.check_grads", "jax", peers.check_grads),
    Contender("torch.autograd.gradcheck", "torch", peers.gradcheck),
    Contender("scipy.optimize.check_grad", "scipy", peers.check_grad),
)
