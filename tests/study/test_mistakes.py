"""The wrong lines as programs: what the page is given to run, run here on NumPy."""

import inspect
import linecache
from typing import Any

import numpy as np
import pytest

import manual.article
import manual.sgd
from manual.activations import SIGMOID_DERIVATIVES
from manual.article import Parameters
from models import planted
from models.planted import LOOPS, MISTAKES, PLANTS, gradient_in, train_in
from study.mistakes import ELSEWHERE, GROUPS, mistakes
from tests.compare.recording.operations import OPERATIONS
from tests.strategies import drawn_points

NAMES = Parameters._fields
RATE = 0.1
RUNNABLE = sorted(set(MISTAKES) - set(ELSEWHERE))
FORMS = sorted(SIGMOID_DERIVATIVES)


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return mistakes()


@pytest.fixture(scope="module")
def points() -> tuple[Parameters, np.ndarray, np.ndarray]:
    return drawn_points(64, seed=5)


def run(told: dict[str, Any], slug: str | None, form: str, given: dict[str, Any]) -> dict[str, Any]:
    """What the program of a mistake computes, by name."""
    changed = next((of["changes"][form] for of in told["list"] if of["slug"] == slug), {})
    at = told["right"][form] | changed
    put = {at[name]: value for name, value in given.items()}
    results: list[Any] = []
    for line, (operation, operands, *value) in enumerate(told["lines"]):
        if operation == "given":
            results.append(put[line])
        elif operation == "constant":
            results.append(float(*value))
        else:
            results.append(OPERATIONS[operation](*(results[of] for of in operands)))
    return {name: results[line] for name, line in at.items()}


def given(points: tuple[Parameters, np.ndarray, np.ndarray]) -> dict[str, Any]:
    params, x, y = points
    return {**params._asdict(), "x1": x[..., 0], "x2": x[..., 1], "y": y, "η": RATE}


def parts(found: dict[str, Any], before: str, after: str = "") -> np.ndarray:
    shape = np.shape(found["y"])
    return np.stack([np.broadcast_to(found[f"{before}{n}{after}"], shape) for n in NAMES])


@pytest.mark.parametrize("form", FORMS)
def test_the_lines_without_a_mistake_are_right(told: Any, points: Any, form: str) -> None:
    found = run(told, None, form, given(points))
    params, x, y = points
    right = manual.article.gradient(params, x, y, SIGMOID_DERIVATIVES[form])
    assert parts(found, "dL_d").tobytes() == np.stack(right).tobytes()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("slug", RUNNABLE)
def test_the_lines_with_a_mistake_do_what_it_does(
    told: Any, points: Any, slug: str, form: str
) -> None:
    """Bit for bit, and so does the update."""
    with np.errstate(all="ignore"):
        found = run(told, slug, form, given(points))
        plant = MISTAKES[slug]
        grads = np.stack(list(gradient_in(plant, form)(*points)))
        assert parts(found, "dL_d").tobytes() == grads.tobytes()
        params, xs, ys = points
        for k in range(3):
            start = Parameters(*(of[k] for of in params))
            loop, order = train_in(plant, form), np.array([[k]])
            (new,) = loop(start, xs, ys, gradient_in(plant, form), RATE, order)
            assert parts(found, "", "_new")[:, k].tobytes() == np.stack(new).tobytes()


@pytest.mark.parametrize("slug", sorted(set(PLANTS) & set(RUNNABLE)))
def test_what_is_right_stays_as_it_is(told: Any, points: Any, slug: str) -> None:
    """A mistake changes the derivatives that it is said to make wrong, and no values."""
    with np.errstate(all="ignore"):
        wrong, right = (run(told, of, "stable", given(points)) for of in (slug, None))
    same = [np.array_equal(wrong[name], right[name]) for name in right]
    changed = {name for name, is_same in zip(right, same, strict=True) if not is_same}
    assert {f"dL_d{name}" for name in PLANTS[slug].leaves} == {
        name for name in changed if name.startswith("dL_d") and name != "dL_dypred"
    }
    assert not changed & {"z1", "h1", "z2", "h2", "z3", "ypred", "L"}


def test_a_wrong_factor_is_wrong_by_its_name(told: Any) -> None:
    changes = {of["slug"]: of["changes"] for of in told["list"]}
    assert "dh2_dz2" in changes["sigmoid-of-activation"]["stable"]
    assert "dL_dypred" in changes["missing-square"]["article"]
    assert set(changes["exchanged"]["stable"]) == {"dL_dw5", "dL_dw6", "w5_new", "w6_new"}


def test_what_cannot_be_run_is_listed_with_the_reason(told: Any) -> None:
    listed = {of["slug"]: of for of in told["list"]}
    assert list(listed) == list(MISTAKES)
    assert {slug for slug, of in listed.items() if of["changes"] is None} == set(ELSEWHERE)
    assert all((of["why"] is None) == (of["changes"] is not None) for of in listed.values())
    assert {of["part"] for of in listed.values()} == {"link", "answer", "loop"}
    assert {slug for slug, of in listed.items() if of["part"] == "loop"} == set(LOOPS)


def test_every_mistake_goes_wrong_in_one_way(told: Any) -> None:
    assert sorted(slug for _, slugs in GROUPS.values() for slug in slugs) == sorted(MISTAKES)
    assert {of["group"] for of in told["list"]} == set(told["groups"]) == set(GROUPS)


def source(function: Any) -> str:
    """The lines of a function, of one with a mistake as well."""
    return "".join(linecache.getlines(function.__code__.co_filename))


def test_the_lines_that_are_shown_are_those_that_run(told: Any) -> None:
    """The right ones in the right code, the wrong ones in the code of the mistake."""
    right = "".join(map(inspect.getsource, (manual.article, manual.sgd, planted)))
    for of in told["list"]:
        plant = MISTAKES[of["slug"]]
        made: Any = train_in(plant) if of["kind"] == "training" else gradient_in(plant)
        wrong = source(getattr(made, "func", made))
        assert of["edits"]
        for old, new in of["edits"]:
            assert [line for line in old.split("\n") if line.strip() not in right] == []
            assert [line for line in new.split("\n") if line.strip() not in wrong] == [], of["slug"]
            assert old != new
