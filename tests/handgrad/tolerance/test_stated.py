"""What rounding in short formats explains: as much as it does, measured, and not much more."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad.arithmetic import balls
from handgrad.data import formats
from handgrad.data.point import slices
from handgrad.oracle.certify import certify
from handgrad.tolerance.measuring import in_arithmetic
from handgrad.tolerance.stated import STATED, TOGETHER, projection
from tests.corpus import short_functions as functions
from tests.handgrad.oracle.problems import problem

BF16 = "bfloat16"


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [BF16, "float16"])
def test_right_gradients_are_off_by_half_of_what_is_explained(dtype: str) -> None:
    """`STATED` and `TOGETHER` are about twice what is measured; over more seeds it was 1.8 and 0.6.

    Of seven functions in two arithmetics, each in five ways; for too few ones the deviations would
    be too large, and mistakes be missed.
    """
    largest, together, along = [], [], []
    for seed in range(2):
        for name, f, p, given in functions.cases(dtype, seed, 11):
            for inside in (None, jnp.float32):
                case = problem(lambda p, *a, f=f, i=inside: f(p, *a, i), p, *given)
                reference = certify(case)
                if reference.kink is not None:
                    continue
                found, exact = (
                    in_arithmetic(case, reference, 0),
                    balls.midpoints(reference.gradient),
                )
                parts = [*zip(case.leaves, slices(case.leaves), strict=True)]
                for gradient in functions.ways(f, inside).values():
                    leaves = [np.asarray(a, float) for a in jax.tree.leaves(gradient(p, *given))]
                    for k, (leaf, part) in enumerate(parts):
                        error = leaves[k].reshape(-1) - exact[part]
                        half = formats.of(leaf.dtype).spacing(exact[part]) / 2
                        beyond = np.fmax(np.abs(error) - half * (1 + 1e-9), 0)
                        assert (found.error[part][beyond > 0] > 0).all(), name
                        ratios = STATED * beyond / np.fmax(found.error[part], 1e-300)
                        largest.append(ratios.max())
                        together.append(np.sqrt(np.mean(ratios**2)))
                        along.append(abs(projection(exact[part], error)) / found.along[k])
    assert 0.8 < max(largest) < 0.75 * STATED
    assert 0.3 < max(together) < 0.6 * TOGETHER
    assert max(along) < 0.6
