"""The comparison of checkers on torch functions: its cases, its checkers, and its command."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.checkers.cases import MISTAKES, RIGHT
from benchmarks.checkers.functions import cases, contenders
from benchmarks.checkers.functions.cases import with_mistake, without_mistake
from benchmarks.checkers.functions.planted import planted
from benchmarks.checkers.functions.table import markdown
from benchmarks.checkers.question import NO_ANSWER
from benchmarks.checkers.question import RIGHT as SAYS_RIGHT
from benchmarks.checkers.question import WRONG as SAYS_WRONG
from benchmarks.checkers.results import FUNCTIONS, Results
from models.torch_functions.function import FORMATS
from models.torch_functions.installed import torch
from tests.benchmarks.sure import ended, one_line


def test_there_are_as_many_right_ones_as_wrong_ones() -> None:
    every = cases.cases()
    parts = Counter(case.part for case in every)
    assert parts[RIGHT] >= parts[MISTAKES]
    assert max(Counter(case.id for case in every).values()) == 1
    assert {case.format for case in every} == set(FORMATS)
    assert len({case.subject for case in every}) == 10


def test_torch_has_one_thread_in_the_process_of_a_checker() -> None:
    assert {contender.first for contender in contenders.CONTENDERS} == {contenders.first}
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert contenders.first().format == "float64"
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("dtype", FORMATS)
def test_gradcheck_is_asked_with_its_defaults(dtype: str) -> None:
    """In float64 it is right; in other formats it rejects everything."""
    wrong = contenders.gradcheck(with_mistake("swiglu", "up-missing", dtype))
    right = contenders.gradcheck(without_mistake("swiglu", "factored", dtype, 0))
    assert (wrong.verdict, wrong.leaves) == (SAYS_WRONG, ("gate",))
    assert right.verdict == (SAYS_RIGHT if dtype == "float64" else SAYS_WRONG)


def test_twice_the_references_error_is_allowed() -> None:
    wrong = contenders.twice(with_mistake("layer-norm", "weight-in-dx", "bfloat16"))
    assert (wrong.verdict, wrong.leaves) == (SAYS_WRONG, ("x",))
    right = contenders.twice(without_mistake("layer-norm", "in-its-format", "bfloat16", 0))
    assert right.verdict == SAYS_RIGHT
    slight = contenders.twice(with_mistake("cross-entropy", "no-smoothing", "bfloat16"))
    assert slight.verdict == SAYS_WRONG, "15 times rounding"
    small = contenders.twice(with_mistake("layer-norm", "eps-outside", "bfloat16"))
    assert small.verdict == SAYS_RIGHT, "smaller than what bfloat16 rounds"
    assert contenders.twice(with_mistake("softplus", "other-side", "float64")).verdict == NO_ANSWER


def test_a_gradient_of_another_shape_is_told_as_one() -> None:
    for ask in (contenders.gradcheck, contenders.twice):
        answer = ask(with_mistake("layer-norm", "wrong-axes", "float32"))
        assert (answer.verdict, answer.kinds) == (SAYS_WRONG, ("shape",))


@pytest.mark.slow
def test_ours_names_the_line_and_the_argument() -> None:
    answer = contenders.check_function(with_mistake("layer-norm", "mean-term", "float64"))
    assert (answer.verdict, answer.leaves) == (SAYS_WRONG, ("x",))
    assert answer.lines == ("mean = z.mean(dim=-1, keepdim=True)",)


def test_the_size_of_a_mistake_does_not_depend_on_the_format_but_rounding_does() -> None:
    slug = "mistakes/layer-norm/eps-outside/0/"
    known = planted(case for case in cases.cases() if case.subject == "layer-norm")
    sizes = [known[slug + dtype]["size"] or 0.0 for dtype in FORMATS]
    # ε = 1e-5 beside variances of some units.
    assert all(1e-6 < size < 1e-4 for size in sizes)
    times = [known[slug + dtype]["times"] or 0.0 for dtype in FORMATS]
    assert times[0] > 1e6 > 1e3 > times[1] > 1 > times[2]
    assert known["mistakes/layer-norm/wrong-axes/0/float64"]["size"] is None


def test_the_leaves_that_are_wrong_are_known() -> None:
    assert with_mistake("swiglu", "exchanged", "bfloat16").wrong_leaves() == ("gate", "up")
    assert with_mistake("attention", "scale-in-dk", "float32").wrong_leaves() == ("k",)
    small = with_mistake("layer-norm", "eps-outside", "bfloat16")
    assert small.wrong_leaves() == ("x", "weight"), "whatever its format rounds"
    assert without_mistake("attention", "softmax", "float32", 1).wrong_leaves() == ()


@pytest.mark.slow
def test_the_command_stores_what_it_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results.json"
    part = ["--subject", "softplus", "--format", "bfloat16"]
    part += ["--contender", "twice-the-reference", "--out", str(out)]
    assert ended("checkers-torch", *part) == 0
    shown = capsys.readouterr()
    results = Results.load_of(FUNCTIONS, out)
    assert shown.out == markdown(results)
    assert (
        f"{len(results.checks)}/{len(results.checks)} twice-the-reference: softplus, " in shown.err
    )
    assert ended("checkers-torch", *part) == 2
    one_line(capsys, "is there already; expected --resume or --overwrite")
    assert ended("checkers-torch", *part, "--resume") == 0
    assert ended("checkers", "--table", str(out)) == 2
    capsys.readouterr()
