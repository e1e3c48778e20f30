"""`compare break`, end to end."""

import re

import pytest

from models.planted import LOOPS, MISTAKES, PLANTS
from tests.compare.networks.calls import compare, one_object


def test_all_mistakes_are_listed() -> None:
    ended = compare("break")
    assert (ended.code, ended.err) == (0, "")
    gradient, loop = ended.out.split("In the training loop, around a right gradient:")
    assert gradient.startswith("In the gradient:")
    for part, plants in ((gradient, PLANTS), (loop, LOOPS)):
        slugs = re.findall(r"^([a-z0-9-]+) {2,}\S", part, flags=re.MULTILINE)
        assert slugs == ["slug", *plants]
    plants = one_object(compare("break", "--json"))["plants"]
    assert [plant["slug"] for plant in plants] == list(MISTAKES)
    for plant in plants:
        assert list(plant) == ["slug", "says", "kind", "wrong"]
        assert plant["says"] == MISTAKES[plant["slug"]].says
        assert plant["kind"] == ("gradient" if plant["slug"] in PLANTS else "training")
        assert tuple(plant["wrong"]) == MISTAKES[plant["slug"]].wrong


def test_a_mistake_is_planted() -> None:
    words = ("break", "update-before-use", "--epochs", 100)
    ended, answer = compare(*words), one_object(compare(*words, "--json"))
    assert (ended.code, ended.err) == (0, "")
    title, table, lesson, *_ = (" ".join(part.split()) for part in ended.out.split("\n\n"))
    plant = MISTAKES["update-before-use"]
    assert title == f"update-before-use: {plant.says}."
    assert lesson.startswith("Blind: outcome, training, autodiff, judge")
    assert list(answer) == ["slug", "says", "kind", "checks"]
    assert answer["slug"] == "update-before-use"
    assert (answer["says"], answer["kind"]) == (plant.says, plant.kind)
    assert {name: list(check)[2:] for name, check in answer["checks"].items()} == {
        "outcome": ["people"],
        "training": ["start", "end", "right_end"],
        "updates": ["updates", "first"],
        "autodiff": ["disagree"],
        "judge": ["verdict", "diagnosis", "parameters", "person"],
    }
    for name, check in answer["checks"].items():
        assert check["sees"] == (name == "updates")
        assert f" {name} {'yes' if check['sees'] else 'no'} {check['says']}" in table


@pytest.mark.slow
def test_nan_is_null() -> None:
    checks = one_object(compare("break", "NOT-a-number", "--epochs", 2, "--json"))["checks"]
    assert checks["training"]["end"] is None
    assert checks["outcome"]["people"]["Emily"]["probability"] is None
    assert checks["autodiff"]["disagree"]["Alice"]["w2"]["by_hand"] is None
