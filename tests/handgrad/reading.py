"""How long reading each report of the model matrix takes, as a part of the seconds of its check.

`python -m tests.handgrad.reading` takes half an hour of one processor, prints the slowest, and ends
with 1 if one took longer than it may. What is measured is processor time, so other load does not
count; a ticking clock would not do, since what has to be short is the work between two looks at it.
"""

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from handgrad import check_gradient
from handgrad.clock import SECONDS
from handgrad.report import FOR_READING
from models import checkers, held_out, zoo
from models.model import Model
from tests.handgrad.heavy import BEGUN, spent

MODELS = {m.name: m for m in (*zoo.MODELS, *checkers.MODELS, *held_out.MODELS)}


class Read(NamedTuple):
    """A report that was read."""

    share: float  #: of the seconds of the check that reading took
    check: float  #: and the check itself
    verdict: str
    name: str  #: the model's, and the slug of the mistake; none is the right gradient


def read(model: Model, slug: str, seconds: float = SECONDS) -> Read:
    """Check a gradient of a model at one point, and read the report."""
    point = model.draw(np.random.default_rng(0))
    gradient: Any = model.wrong(slug) if slug else model.gradient
    check, report = spent(
        lambda: check_gradient(gradient, model.loss, *point, points=0, seconds=seconds)
    )
    reading, _ = spent(lambda: str(report))
    shares = reading.processor / seconds, check.processor / seconds
    return Read(*shares, report.verdict, f"{model.name} {slug}".strip())


def matrix() -> Iterator[Read]:
    """Read the reports on all gradients of all models."""
    for model in MODELS.values():
        for slug in ("", *model.mistakes):
            yield read(model, slug)


def main() -> int:
    """Print the ten slowest; return 1 if one was too slow."""
    found = sorted(matrix(), reverse=True)
    print(f"{len(found)} reports, seconds={SECONDS:g}")
    for each in found[:10]:
        print(f"{each.share:6.1%} {each.check:6.1%} {each.verdict:12} {each.name}")
    return int(found[0].share > FOR_READING + BEGUN / SECONDS)


if __name__ == "__main__":
    sys.exit(main())
