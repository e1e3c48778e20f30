"""Eigenvalues, singular values and QR: values and signs as LAPACK has them, and where none is."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad.arithmetic import balls
from handgrad.oracle.reference import UndecidableError
from handgrad.program.interpreter import UncertifiedPrimitiveError
from tests.handgrad.oracle.problems import by_jax, certified, hidden
from tests.handgrad.program.rule_losses import TALL, M, mixed
from tests.tiers import one_of_each

SIGNED = {
    "eigh": lambda m: jnp.linalg.eigh(m + m.T)[1] * jnp.arange(3.0)[None],
    "svd, tall": lambda m: jnp.linalg.svd(m[:, :2], full_matrices=False)[0],
    "svd, wide": lambda m: jnp.linalg.svd(m[:2], full_matrices=False)[2],
    "svd, square": lambda m: jnp.linalg.svd(m)[0] @ jnp.linalg.svd(m)[2],
    "qr, tall": lambda m: jnp.linalg.qr(m[:, :2])[0],
    "qr, wide": lambda m: jnp.linalg.qr(m[:2])[1],
    "qr of negative columns": lambda m: jnp.linalg.qr(-m)[1],
}


@pytest.mark.parametrize("name", one_of_each(SIGNED, ["qr, tall"]))
def test_factors_with_their_signs(name: str) -> None:
    """Nothing but LAPACK decides a sign, and a loss may depend on it."""

    def loss(m: Any) -> Any:
        return mixed(SIGNED[name](m))

    reference = certified(loss, M)
    value, slopes = by_jax(loss, M)
    assert float(reference.loss.mid()) == pytest.approx(value, rel=1e-13)
    found = balls.midpoints(reference.gradient)
    np.testing.assert_allclose(found, slopes, rtol=0, atol=1e-12 * np.max(np.abs(slopes)))


@pytest.mark.slow
@pytest.mark.parametrize("which", ["U", "L"])
def test_a_triangle_that_is_not_read_has_no_slope(which: Any) -> None:
    """The rule of JAX reads both."""
    reference = certified(
        lambda m: jnp.linalg.eigh(m, UPLO=which, symmetrize_input=False)[0][0] * 1.0, M
    )
    found = balls.midpoints(reference.gradient).reshape(3, 3)
    read = np.triu(np.ones((3, 3)), 1) if which == "U" else np.tril(np.ones((3, 3)), -1)
    assert np.all(found[read == 1] != 0)
    assert np.all(found[read.T == 1] == 0)
    assert float(reference.loss.mid()) == pytest.approx(np.linalg.eigvalsh(M, which)[0], rel=1e-13)


@pytest.mark.parametrize(
    "f",
    [
        lambda m: jnp.linalg.eigvalsh(m)[0],
        lambda m: jnp.linalg.norm(m, 2),
        lambda m: jnp.sum(jnp.linalg.eigh(m)[1]),
    ],
)
def test_equal_values_are_undecidable(f: Any) -> None:
    with pytest.raises(UndecidableError):
        certified(f, np.eye(3))


def test_a_singular_value_of_0_has_a_kink() -> None:
    with pytest.raises(UndecidableError):
        certified(lambda m: jnp.linalg.norm(m, "nuc"), np.outer([1.0, 2.0], [3.0, 5.0]))


def test_values_that_nearly_meet_are_told_apart() -> None:
    reference = certified(
        lambda d: jnp.linalg.eigvalsh(jnp.diag(d))[1], np.array([1.0, 1.0 + 2**-52])
    )
    assert balls.midpoints(reference.gradient).tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (lambda m: jnp.sum(jnp.linalg.svd(m, full_matrices=True)[0] ** 2), "svd"),
        (lambda m: jnp.sum(jnp.linalg.qr(m, mode="complete")[0] ** 2), "qr"),
    ],
)
def test_what_is_not_unique_has_no_rule(f: Any, name: str) -> None:
    with pytest.raises(UncertifiedPrimitiveError, match=name):
        certified(hidden(f), TALL)
