"""The caller's random numbers of PyTorch are those without a check.

Of `check_function`, `gradcheck` and `check_gradient` in `test_function`.
"""

from collections.abc import Callable
from typing import Any

import pytest

from handgrad import check_backward, check_steps, compare_gradients
from handgrad.program.aten.installed import torch

X = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)


def seeded(x: Any) -> Any:
    torch.manual_seed(5)
    return x * torch.rand(3, dtype=x.dtype)


def forward(x: Any) -> Any:
    return seeded(x), x


def backward(dy: Any, _: Any) -> Any:
    return seeded(dy)


#: Checks, of what draws in both passes; steps also before one is judged, versions in the loss.
CHECKS: dict[str, Callable[[], Any]] = {
    "backward": lambda: check_backward(forward, backward, X, points=0),
    "steps": lambda: check_steps([("scale", forward, backward)], X, points=0),
    "versions": lambda: compare_gradients(
        {"mine": lambda x: seeded(x / x)}, lambda x: seeded(x).sum(), X, points=0
    ),
}


@pytest.mark.parametrize("name", CHECKS)
def test_numbers_that_are_drawn_are_those_without_a_check(name: str) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    assert CHECKS[name]()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", ["backward", "steps"])
def test_also_where_a_pass_raises(name: str) -> None:
    def raising(x: Any) -> Any:
        seeded(x)
        raise ZeroDivisionError

    before = torch.get_rng_state()
    check: Any = check_backward if name == "backward" else check_steps
    what: Any = (raising, backward) if name == "backward" else ([("a", raising, backward)],)
    with pytest.raises(ZeroDivisionError):
        check(*what, X)
    assert torch.equal(torch.get_rng_state(), before)
