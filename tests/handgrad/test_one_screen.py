"""The report on docs/layer_norm.py: the missing term, its line and its step, on one screen."""

import re
from pathlib import Path

import jax
import pytest

from handgrad import GradientMismatch, assert_gradient
from handgrad.commands.loading import Loader, Location

DOCS = Path(__file__).parents[2] / "docs" / "layer_norm.py"


@pytest.mark.slow
def test_the_missing_term_its_line_and_its_step_on_one_screen() -> None:
    names = ("gradient", "loss", "example")
    gradient, loss, example = (Loader().load(Location(str(DOCS), name)) for name in names)
    with jax.numpy_rank_promotion("allow"), pytest.raises(GradientMismatch) as raised:
        assert_gradient(gradient, loss, *example())
    lines = str(raised.value).splitlines()
    # A terminal of twice the usual height, and as wide as usual; what is to be pasted is not cut.
    assert len(lines) <= 47
    assert [line for line in lines if len(line) > 80 and not line.startswith("Again: ")] == []
    told = " ".join(str(raised.value).split())
    # It is told by the operation or by the function that has it.
    assert re.search("nothing comes back from (the sum over axis 1|mean) to z", told)
    assert "`mean = z.mean(axis=1, keepdims=True)`" in told
    assert "a term is missing" in told
    assert "disagree: params['w']: " in told
    source = DOCS.read_text(encoding="utf-8").splitlines()
    number = 1 + next(i for i, line in enumerate(source) if line.startswith("def norm_backward"))
    assert f"layer_norm.py, line {number}) is wrong, its only step" in told
    # Its other two derivatives are right, and nothing is said of them but that.
    assert "params['gamma'], " not in told
    assert "params['beta'], " not in told
