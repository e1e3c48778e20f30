"""`compare break`, end to end."""

import re
from typing import Any

import pytest

from compare.planted import LOOPS, MISTAKES, PLANTS
from tests.compare.networks.calls import compare, one_object
from tests.tiers import slowly

CHECKS = {
    "outcome": ["people"],
    "training": ["start", "end", "right_end"],
    "updates": ["updates", "first"],
    "autodiff": ["disagree"],
    "judge": ["verdict", "diagnosis", "parameters", "person"],
}


def test_without_a_slug_all_mistakes_are_listed() -> None:
    ended = compare("break")
    assert (ended.code, ended.err) == (0, "")
    gradient, loop = ended.out.split("In the training loop, around a right gradient:")
    assert gradient.startswith("In the gradient:")
    for part, plants in ((gradient, PLANTS), (loop, LOOPS)):
        slugs = re.findall(r"^([a-z0-9-]+) {2,}\S", part, flags=re.MULTILINE)
        assert slugs == ["slug", *plants]
    said = " ".join(ended.out.split())
    assert all(plant.says in said for plant in PLANTS.values() if len(plant.says) < 40)


def test_the_list_as_json() -> None:
    plants = one_object(compare("break", "--json"))["plants"]
    assert [plant["slug"] for plant in plants] == list(MISTAKES)
    for plant in plants:
        assert list(plant) == ["slug", "says", "kind", "wrong"]
        assert plant["says"] == MISTAKES[plant["slug"]].says
        assert plant["kind"] == ("gradient" if plant["slug"] in PLANTS else "training")
        assert tuple(plant["wrong"]) == MISTAKES[plant["slug"]].wrong


def table(text: str) -> dict[str, tuple[str, str]]:
    """What is said under each check: whether it sees it, and the sentence."""
    rows: dict[str, tuple[str, str]] = {}
    name = ""
    for line in text.split("\n\n")[1].splitlines()[1:]:
        if match := re.match(r"(\w+) +(yes|no) +(.*\S)", line):
            name = match[1]
            rows[name] = (match[2], match[3])
        else:
            rows[name] = (rows[name][0], f"{rows[name][1]} {line.strip()}")
    return rows


@pytest.mark.parametrize("slug", ["update-before-use", slowly("half-mse")])
def test_a_mistake_is_planted(slug: str) -> None:
    words = ("break", slug, "--epochs", 100)
    ended, answer = compare(*words), one_object(compare(*words, "--json"))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"{slug}: ")
    assert " ".join(ended.out.split("\n\n")[0].split()) == f"{slug}: {MISTAKES[slug].says}."
    assert ended.out.split("\n\n")[2].startswith("Blind: outcome, training")
    assert list(answer) == ["slug", "says", "kind", "checks"]
    assert (answer["slug"], answer["says"]) == (slug, MISTAKES[slug].says)
    assert answer["kind"] == MISTAKES[slug].kind
    shown = table(ended.out)
    assert list(shown) == list(answer["checks"]) == list(CHECKS)
    for name, check in answer["checks"].items():
        assert list(check) == ["sees", "says", *CHECKS[name]]
        assert shown[name] == ("yes" if check["sees"] else "no", check["says"])
    compared = slug == "half-mse"
    assert [check["sees"] for check in answer["checks"].values()] == [
        *(False, False, True),
        *(compared, compared),
    ]


@pytest.mark.slow
def test_the_options_say_which_training() -> None:
    def numbers(*words: Any) -> dict[str, Any]:
        return one_object(compare("break", "bias-not-updated", "--json", *words))["checks"]

    usual = numbers("--epochs", 3)
    assert usual["updates"]["updates"] == 12
    assert numbers("--epochs", 3, "--init", "ones")["training"] != usual["training"]
    assert numbers("--epochs", 3, "--learning-rate", "0.2")["training"] != usual["training"]


@pytest.mark.slow
def test_numbers_that_are_none_are_null() -> None:
    checks = one_object(compare("break", "NOT-a-number", "--epochs", 2, "--json"))["checks"]
    assert checks["training"]["end"] is None
    assert checks["outcome"]["people"]["Emily"]["probability"] is None
    assert checks["autodiff"]["disagree"]["Alice"]["w2"]["by_hand"] is None
