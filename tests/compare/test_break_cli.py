"""`compare break`, end to end."""

import re

from models.planted import LOOPS, MISTAKES, PLANTS
from tests.compare.calls import compare


def test_all_mistakes_are_listed() -> None:
    ended = compare("break")
    assert (ended.code, ended.err) == (0, "")
    gradient, loop = ended.out.split("In the training loop, around a right gradient:")
    assert gradient.startswith("In the gradient:")
    for part, plants in ((gradient, PLANTS), (loop, LOOPS)):
        slugs = re.findall(r"^([a-z0-9-]+) {2,}\S", part, flags=re.MULTILINE)
        assert slugs == ["slug", *plants]


def test_a_mistake_is_planted() -> None:
    ended = compare("break", "Update-before-USE", "--epochs", 100)
    assert (ended.code, ended.err) == (0, "")
    title, table, lesson, *_ = (" ".join(part.split()) for part in ended.out.split("\n\n"))
    assert title == f"update-before-use: {MISTAKES['update-before-use'].says}."
    assert lesson.startswith("Blind: outcome, training, autodiff, judge")
    for name in ("outcome", "training", "updates", "autodiff", "judge"):
        assert f" {name} {'yes' if name == 'updates' else 'no'} " in table
