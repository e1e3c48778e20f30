"""Whether a loss that was traced is what PyTorch computes, by what is known of its rounding."""

from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb

from handgrad.judging.pytorch.traced import check_traced
from handgrad.program.trace import trace


def ruled(loose: float, by: Any = None) -> Any:
    """A ruling on a loss of 1 at numbers in float64, of which `by` computes it."""
    with jax.enable_x64(True):
        traced = by and trace(by, [np.ones(3)], (), differentiate=False)
    return SimpleNamespace(
        explains=lambda gap: gap <= 1e-14,
        reference=SimpleNamespace(loss=arb(1)),
        tolerance=SimpleNamespace(loose_of_loss=loose),
        given=SimpleNamespace(leaves=[np.ones(3)]),
        problem=SimpleNamespace(traced=traced),
    )


def in_float32(params: Any) -> Any:
    return jnp.sum(params[0].astype(jnp.float32)).astype(jnp.float64)


@pytest.mark.parametrize(
    ("off", "loose", "by", "same"),
    [
        (1e-15, 1e-14, None, True),
        (1e-9, 1e-14, None, False),
        # Where rounding was not measured, it leaves half of the digits of the coarsest format.
        (1e-9, 0.0, None, True),
        (1e-7, 0.0, None, False),
        (1e-7, 0.0, in_float32, True),
        (1e-3, 0.0, in_float32, False),
    ],
)
def test_a_loss_is_off_by_what_is_known_of_its_rounding(
    off: float, loose: float, by: Any, same: bool
) -> None:
    check_traced(1.0, ruled(loose, by))
    if same:
        check_traced(1.0 + off, ruled(loose, by))
        return
    with pytest.raises(TypeError, match=r"loss: its value is .* in PyTorch and 1.0 when"):
        check_traced(1.0 + off, ruled(loose, by))
