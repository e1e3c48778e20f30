"""Rules of loops that a tolerance ends: of a wrong one only the verdict, since its report is slow.

Losses with such loops are rows: `tests.corpus.rows.loops_in_jax` and `loops_in_numpy`.
"""

import numpy as np
import pytest

from handgrad import check_custom, exact_gradient
from tests.corpus.rows.loops_in_jax import implicit, solved


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.0, -1.0, 1 + 1e-6])
def test_a_wrong_rule_of_a_loop_that_stops_at_a_tolerance(factor: float) -> None:
    assert check_custom(implicit(factor), 0.7, points=0).verdict == "disagree"


def test_of_a_solver_that_chooses_its_steps_there_is_no_exact_gradient() -> None:
    with pytest.raises(NotImplementedError, match="there is no rule for a loop that chooses its"):
        exact_gradient(lambda p: solved(p)[0], np.array([1.1, 0.6, 0.8]))
