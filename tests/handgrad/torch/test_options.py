"""The table of options, as `check_function` has it."""

import pytest

from handgrad.torch import check_function
from tests.corpus.torch_rows.backward_passes import squared
from tests.handgrad import test_options
from tests.handgrad.test_options import handed_on_by, options_of
from tests.torch_installed import torch

unjudged = test_options.unjudged


@pytest.mark.usefixtures("unjudged")
def test_each_reaches_the_judge_the_line_and_the_counterexample() -> None:
    x = torch.tensor([0.5, -1.0], dtype=torch.float64)
    handed_on_by(lambda **how: check_function(squared(2), x, **how), options_of(check_function))
