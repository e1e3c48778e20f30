"""The form of an answer: structure, shape, dtype, mutation, repeatability."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_backward, check_gradient
from handgrad.data.point import point_at
from handgrad.judging.case import Case
from handgrad.judging.form import answer, call_gradient, differs, shorter

PARAMS = {"w": np.ones((3, 2)), "b": np.ones(2, np.float32), "s": 1.0}
GIVEN = point_at(PARAMS, ())
RIGHT: dict[str, Any] = {"w": np.full((3, 2), 2.0), "b": np.full(2, 3, np.float32), "s": 4.0}


def case(gradient: Any, has_value: bool = False) -> Case:
    return Case(gradient, loss=lambda p: 0.0, has_value=has_value)


def kinds(found: Any) -> list[tuple[str, Any]]:
    return [(finding.kind, finding.leaf) for finding in found]


def test_a_right_form_has_no_findings() -> None:
    found, findings = answer(RIGHT, GIVEN)
    assert findings == []
    assert [leaf.tolist() for leaf in found] == [[3, 3], 4.0, [[2, 2]] * 3]
    assert [leaf.dtype for leaf in found] == [np.float32, np.float64, np.float64]
    # A number may be of any kind.
    for s in (np.float64(4), np.array(4.0), np.asarray(4.0)[()]):
        assert answer({**RIGHT, "s": s}, GIVEN)[1] == []
    assert answer({**RIGHT, "b": jnp.full(2, 3, jnp.float32)}, GIVEN)[1] == []


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"w": None}, [("structure", "params['w']")]),
        ({"extra": np.ones(2)}, [("structure", "params['extra']")]),
        ({"w": [np.ones((3, 2))]}, [("structure", "params['w']")]),
        ({"w": "no"}, [("structure", "params['w']")]),
        ({"s": 4}, [("structure", "params['s']")]),
        ({"w": np.ones((2, 3))}, [("shape", "params['w']")]),
        ({"w": np.ones((3, 1))}, [("shape", "params['w']")]),
        ({"w": np.ones((1, 3, 2))}, [("shape", "params['w']")]),
        ({"b": np.float32(3)}, [("shape", "params['b']")]),
        ({"s": np.ones(1)}, [("shape", "params['s']")]),
        ({"w": np.ones((3, 2), np.float16)}, [("dtype", "params['w']")]),
        ({"b": np.ones(2)}, [("dtype", "params['b']")]),
        ({"w": np.ones((3, 2), np.int64)}, [("dtype", "params['w']")]),
        (
            {"b": np.ones(2), "w": np.ones(2)},
            [("dtype", "params['b']"), ("shape", "params['w']")],
        ),
    ],
)
def test_a_wrong_form_is_named(wrong: Any, expected: Any) -> None:
    found, findings = answer({**RIGHT, **wrong}, GIVEN)
    assert kinds(findings) == expected
    assert found == []


def test_float32_for_float64_is_judged_too() -> None:
    found, findings = answer({**RIGHT, "w": np.ones((3, 2), np.float32)}, GIVEN)
    assert findings == []
    assert kinds(shorter(found, GIVEN)) == [("dtype", "params['w']")]


def test_another_container_is_another_structure() -> None:
    given = point_at([np.ones(2), 1.0], ())
    assert answer((np.ones(2), 1.0), given)[1] == []  # the paths are the same, and so is the order
    (found,) = answer({"a": np.ones(2)}, given)[1]
    assert (found.kind, found.leaf) == ("structure", "params[0]")
    assert found.detail == (
        "the gradient returned a dict of 'a' with no gradient of params[0], params[1] "
        "and something at grads['a']; params is a list of 2"
    )


def test_details_say_what_came_and_what_was_expected() -> None:
    given = point_at(np.ones(2), ())
    (nothing,) = answer(None, given)[1]
    assert "is its return statement missing?" in nothing.detail
    (value_too,) = answer((3.0, np.ones(2)), given)[1]
    assert "has_value=True" in value_too.detail
    for single in (np.float64(2.5), 2.5, jnp.float32(2.5)):
        (swapped,) = answer(single, GIVEN)[1]
        words = "; were the loss and the gradient given in each other's place?"
        assert swapped.detail.endswith(words)
    for wrong, words in (
        ({"w": np.ones((2, 3))}, "got shape (2, 3), expected (3, 2)"),
        ({"b": np.ones(2)}, "got float64, expected float32"),
        ({"s": "no"}, "got str, expected an array"),
    ):
        (finding,) = answer({**RIGHT, **wrong}, GIVEN)[1]
        assert finding.detail == words
        assert finding.confidence == 1.0
        assert finding.index is None


def test_a_wrong_shape_beside_an_input_of_unequal_parts() -> None:
    given = point_at(np.ones((2, 3)), ((np.ones(2), None, [1.0, 2.0, 3.0]), np.ones(2)))
    (found,) = answer(np.ones(2), given)[1]
    assert found.detail.startswith("got shape (2,), expected (2, 3), that of the first argument")


def test_an_answer_is_kept_apart_from_what_the_gradient_goes_on_with() -> None:
    buffer = np.ones(2)
    given = point_at(np.ones(2), ())
    _, first, _ = call_gradient(case(lambda p: buffer), given)
    buffer += 1
    assert first[0].tolist() == [1.0, 1.0]


def test_writing_to_an_argument_is_found() -> None:
    def accumulates(p: Any) -> Any:
        p["w"] *= 2.0
        return RIGHT

    _, _, findings = call_gradient(case(accumulates), GIVEN)
    assert kinds(findings) == [("mutation", "params['w']")]
    assert (PARAMS["w"] == 1.0).all()


def test_a_value_and_its_gradient() -> None:
    value, leaves, findings = call_gradient(case(lambda p: (np.float64(7.5), RIGHT), True), GIVEN)
    assert (value, len(leaves), findings) == (7.5, 3, [])
    assert call_gradient(case(lambda p: RIGHT), GIVEN)[0] is None
    assert call_gradient(case(lambda p: [jnp.float32(7.5), RIGHT], True), GIVEN)[2] == []


@pytest.mark.parametrize(
    ("result", "kind", "words"),
    [
        (RIGHT, "structure", "got dict, expected (loss, grads), as has_value says"),
        ((1.0, RIGHT, 2.0), "structure", "got tuple, expected (loss, grads)"),
        ((np.ones(1), RIGHT), "shape", "got a loss of shape (1,), expected a scalar"),
        ((1.0, {**RIGHT, "w": 1.0}), "shape", "got shape (), expected (3, 2); were the loss and"),
    ],
)
def test_no_value_and_gradient(result: Any, kind: str, words: str) -> None:
    _, leaves, findings = call_gradient(case(lambda p: result, True), GIVEN)
    assert findings[0].kind == kind
    assert words in findings[0].detail
    assert leaves == []


def test_a_second_call_must_answer_the_same() -> None:
    first, second = answer(RIGHT, GIVEN)[0], answer(RIGHT, GIVEN)[0]
    assert differs(first, second, GIVEN) is None
    second[2][1, 0] += 1e-16 * 4
    second[2][2, 1] += 3.0
    finding = differs(first, second, GIVEN)
    assert finding is not None
    assert (finding.kind, finding.leaf, finding.index) == ("not-repeatable", "params['w']", (2, 1))
    assert finding.detail == "another call gave 5.0, the first one 2.0"
    # Not a number twice is the same answer, and once is not.
    first, second = answer(RIGHT, GIVEN)[0], answer(RIGHT, GIVEN)[0]
    first[0][1] = np.nan
    finding = differs(first, second, GIVEN)
    assert finding is not None
    assert finding.index == (1,)
    second[0][1] = np.nan
    assert differs(first, second, GIVEN) is None


def test_the_first_argument_is_named_where_it_is_an_array_alone() -> None:
    """The cotangents of a step are not called so, whatever its inputs are called."""

    def forward(inputs: Any) -> Any:
        return inputs @ np.ones((3, 2)), None

    report = check_backward(forward, lambda d, _: d, np.ones((4, 3)), points=0)
    assert report.headline.endswith("got shape (4, 2), expected (4, 3)")


def of_two(w: Any, u: Any, x: Any) -> Any:
    return jnp.sum(jnp.tanh(x @ w) @ u)


@pytest.mark.parametrize(
    ("gradient", "ends"),
    [
        (lambda w, u, x: (w, u), "for more, make them one, (w, u)"),
        (lambda w, u, x: [w, u, x], "for more, make them one, (w, u, x)"),
        (lambda w, u, x: (1.0, w), "if it returns (loss, grads), say has_value=True"),
        (lambda w, u, x: u, "expected (2, 3), that of the first argument; yours is that of u"),
        (lambda w, u, x: x.T, "got shape (2, 5), expected (2, 3)"),
    ],
)
def test_who_differentiates_another_argument_is_told_which_counts(gradient: Any, ends: str) -> None:
    rng = np.random.default_rng(0)
    point = rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=(5, 2))
    assert check_gradient(gradient, of_two, *point).headline.endswith(ends)
