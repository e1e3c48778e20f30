"""The comparison of checkers on torch functions: its cases, its checkers, its limits."""

from collections import Counter
from itertools import product
from typing import Any

import pytest

from benchmarks.checkers import cases, contenders
from benchmarks.checkers.cases import (
    FORMATS,
    MISTAKES,
    NO_ANSWER,
    RIGHT,
    TORCH,
    WRONG,
    Case,
    Question,
)
from benchmarks.checkers.planted import planted
from models.model import Model
from models.torch_functions.function import torch
from tests.benchmarks.planted_checkers import asked
from tests.benchmarks.test_checkers_limits import hold_the_limit
from tests.benchmarks.test_checkers_stored import hold_every_case
from tests.tiers import slowly


def right(name: str, what: str, dtype: str, draw: int = 0) -> Question:
    return Case(TORCH, RIGHT, name, what, draw, dtype).build()


def wrong(name: str, what: str, dtype: str) -> Question:
    return Case(TORCH, MISTAKES, name, what, format=dtype).build()


def test_every_case_was_asked_about_and_as_many_are_right_as_wrong() -> None:
    hold_every_case(TORCH)
    every = cases.cases(TORCH)
    parts = Counter(case.part for case in every)
    assert parts[RIGHT] >= parts[MISTAKES]
    assert {case.format for case in every} == set(FORMATS)
    assert len({case.subject for case in every}) == 10


def test_torch_has_one_thread_in_the_process_of_a_checker() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert cases.simple(TORCH).at[0].dtype == torch.float64
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("dtype", FORMATS)
def test_gradcheck_is_asked_with_its_defaults(dtype: str) -> None:
    """In float64 it is right; in other formats it rejects everything."""
    answer = asked(contenders.gradcheck, wrong("swiglu", "up-missing", dtype))
    assert (answer.verdict, answer.leaves) == (WRONG, ("gate",))
    answer = asked(contenders.gradcheck, right("swiglu", "factored", dtype))
    assert answer.verdict == (RIGHT if dtype == "float64" else WRONG)


@pytest.mark.parametrize(
    ("question", "verdict", "leaves"),
    [
        (("layer-norm", "weight-in-dx", "bfloat16"), WRONG, ("x",)),
        (("cross-entropy", "no-smoothing", "bfloat16"), WRONG, ("logits",)),  # 15 × rounding
        (("layer-norm", "eps-outside", "bfloat16"), RIGHT, ()),  # smaller than rounding
        (("softplus", "other-side", "float64"), NO_ANSWER, ()),
    ],
)
def test_twice_the_references_error_is_allowed(
    question: tuple[str, str, str], verdict: str, leaves: tuple[str, ...]
) -> None:
    answer = asked(contenders.twice, wrong(*question))
    assert (answer.verdict, answer.leaves) == (verdict, leaves)
    assert (
        asked(contenders.twice, right("layer-norm", "in-its-format", "bfloat16")).verdict == RIGHT
    )


def test_a_gradient_of_another_shape_is_told_as_one() -> None:
    for ask in (contenders.gradcheck, contenders.twice):
        answer = asked(ask, wrong("layer-norm", "wrong-axes", "float32"))
        assert (answer.verdict, answer.kinds) == (WRONG, ("shape",))


@pytest.mark.slow
def test_ours_names_the_line_and_the_argument() -> None:
    answer = asked(contenders.by_handgrad, wrong("layer-norm", "mean-term", "float64"))
    assert (answer.verdict, answer.leaves) == (WRONG, ("x",))
    assert answer.lines == ("mean = z.mean(dim=axes, keepdim=True)",)


def test_the_size_of_a_mistake_does_not_depend_on_the_format_but_rounding_does() -> None:
    slug = "mistakes/layer-norm/eps-outside/0/"
    known = planted(case for case in cases.cases(TORCH) if case.subject == "layer-norm")
    sizes = [known[slug + dtype]["size"] or 0.0 for dtype in FORMATS]
    # ε = 1e-5 beside variances of some units.
    assert all(1e-6 < size < 1e-4 for size in sizes)
    times = [known[slug + dtype]["times"] or 0.0 for dtype in FORMATS]
    assert times[0] > 1e6 > 1e3 > times[1] > 1 > times[2]
    assert known["mistakes/layer-norm/wrong-axes/0/float64"]["size"] is None


def test_the_leaves_that_are_wrong_are_known() -> None:
    assert wrong("swiglu", "exchanged", "bfloat16").wrong_leaves() == ("gate", "up")
    assert wrong("attention", "scale-in-dk", "float32").wrong_leaves() == ("k",)
    small = wrong("layer-norm", "eps-outside", "bfloat16")
    assert small.wrong_leaves() == ("x", "weight"), "whatever its format rounds"
    assert right("attention", "softmax", "float32", 1).wrong_leaves() == ()


@pytest.mark.parametrize(
    ("name", "dtype"), [slowly(*of) for of in product(cases.models(TORCH), ("float32", "bfloat16"))]
)
def test_a_mistake_as_large_as_the_limit_is_caught(name: str, dtype: str) -> None:
    """In float64 all is as in float32."""
    hold_the_limit(cases.models(TORCH)[name], off_by, dtype)


def off_by(subject: Model, part: int, at: int, size: float) -> Any:
    """A class whose gradient of an argument is off by that in one element."""

    class Wrong(subject.by_hand):
        @staticmethod
        def backward(ctx: Any, *cotangents: Any) -> Any:
            grads = list(subject.by_hand.backward(ctx, *cotangents))
            places = [k for k, grad in enumerate(grads) if grad is not None]
            found = grads[places[part]]
            spike = torch.zeros(found.numel(), dtype=torch.float64)
            spike[at] = size
            grads[places[part]] = (found.double() + spike.view(found.shape)).to(found.dtype)
            return tuple(grads)

    return Wrong
