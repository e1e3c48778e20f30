"""How cotangents lie in memory, where a backward pass is called with others than usual."""

import math
from itertools import product

from handgrad.judging.pytorch.autograd import not_contiguous
from handgrad.program.aten.installed import torch


def test_what_is_called_not_contiguous_is_not() -> None:
    for ndim in range(5):
        for shape in product((1, 2, 3), repeat=ndim):
            cotangent = torch.arange(float(math.prod(shape))).reshape(shape)
            found = not_contiguous(cotangent)
            # PyTorch counts a single element as contiguous.
            assert found.is_contiguous() == (cotangent.numel() == 1)
            assert torch.equal(found, cotangent)


def test_a_matrix_that_is_not_contiguous_is_not_one_row_after_the_other() -> None:
    found = not_contiguous(torch.ones(3, 5))
    assert found.stride() == (2, 6)
    assert not_contiguous(torch.ones(0, 3)).shape == (0, 3)
