"""Autodiff compiled as one program: where XLA makes it wrong, it is computed as it is written."""

import math
from typing import Any

import jax
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.program import form, programs
from tests.corpus.rows.hidden_state import traced, twice
from tests.corpus.rows.lost_digits import W, overflowing


@pytest.mark.parametrize("factor", [0.0, math.nan])
def test_autodiff_is_not_blamed_for_what_xla_compiles(
    factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def miscompiled(of: form.Form) -> Any:
        def run(consts: Any, given: Any) -> list[Any]:
            loss, *grads = form.compiled(of)(consts, given)
            return [loss, *(factor * slope for slope in grads)]

        return run

    monkeypatch.setattr(programs, "compiled", miscompiled)
    report = check_gradient(twice, traced, W, points=1)
    assert (report.verdict, report.blame) == ("agree", None), str(report)
    assert report.leaves[0].autodiff in 2 * W


def test_jax_looks_for_nan_in_what_is_written_alone() -> None:
    with jax.debug_nans(True), jax.debug_infs(True):
        report = check_gradient(lambda w: np.full_like(w, 1e100), overflowing, W, points=0)
    assert report.verdict == "agree", str(report)
