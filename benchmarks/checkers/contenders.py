"""The checkers that are compared, and how each is asked."""

import importlib.metadata
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.checkers import peers
from benchmarks.checkers.question import NO_ANSWER, RIGHT, WRONG, Answer, Question

#: `handgrad`'s verdicts; lost digits are a warning there, and no false alarm.
VERDICTS = {"agree": RIGHT, "imprecise": RIGHT, "disagree": WRONG, "undecidable": NO_ANSWER}

#: Findings that blame no parameter: lost digits, and the other valid choice at a kink.
NO_BLAME = ("rounding", "convention")


@dataclass(frozen=True)
class Contender:
    """A checker: what it is called, what must be installed, and how it is asked.

    `ask` is a function of a module, so that a process of its own can be told to run it.
    """

    name: str
    package: str
    ask: Callable[[Question], Answer]

    def absent(self) -> str | None:
        """Why it cannot be asked here, or None."""
        if importlib.util.find_spec(self.package) is None:
            return f"{self.package} is not installed; .venv/bin/pip install -e '.[peers]'"
        return None

    def version(self) -> str:
        """The version of its package."""
        try:
            return importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            return "unknown"


def check_gradient(question: Question) -> Answer:
    """`handgrad.check_gradient`, at the given point and the eight others of its default."""
    from handgrad import check_gradient

    params, *inputs = question.point()
    report = check_gradient(question.gradient, question.loss, params, *inputs)
    verdict = VERDICTS[report.verdict]
    blamed = [found.leaf for found in report.findings if found.leaf and found.kind not in NO_BLAME]
    return Answer(
        verdict,
        reason="undecidable" if verdict == NO_ANSWER else "",
        leaves=tuple(dict.fromkeys(blamed)),
        kinds=tuple(dict.fromkeys(found.kind for found in report.findings)),
        message=report.headline,
    )


CONTENDERS = (
    Contender("handgrad.check_gradient", "handgrad", check_gradient),
    Contender("jax.test_util.check_grads", "jax", peers.check_grads),
    Contender("torch.autograd.gradcheck", "torch", peers.gradcheck),
    Contender("scipy.optimize.check_grad", "scipy", peers.check_grad),
)
