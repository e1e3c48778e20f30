"""Which theory is believed, by evidence that is made up for it: of the leaves, or of a link."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad.data.findings import Diagnosis
from handgrad.diagnosis import kinds, mistakes
from tests.handgrad.diagnosis.made_up import Leaves, Mistake, curved, evidence_of


def told(*args: Any, **options: Any) -> tuple[Diagnosis, ...]:
    """Return the diagnosis of a mistake in a gradient."""
    return mistakes(evidence_of(*args, **options))


def symmetric(s: Any) -> Leaves:
    (g,) = curved(s)
    return (g + g.T,)


def of_first(change: Callable[[Any], Any]) -> Mistake:
    return lambda exact, _: (change(exact[0]), *exact[1:])


def at_most_2_long(g: Any) -> Any:
    return g * min(1.0, 2.0 / np.linalg.norm(g))


S, VECTOR, CUBE = np.zeros((3, 3)), np.ones(4), np.zeros((2, 3, 4))
TWICE = "the derivative by one of two elements that are equal in a symmetric matrix"
OFF = 2 - np.eye(3)
#: What is done to a gradient, the gradient, the parameters, the kind, and what is said.
THEORIES: dict[str, tuple[Mistake, Any, Leaves, str, str]] = {
    **{
        says: (of_first(change), symmetric, (S,), kind, says)
        for change, kind, says in (
            (np.tril, "zero", "yours is 0 above the diagonal: only half of a symmetric matrix"),
            (np.triu, "zero", "yours is 0 below the diagonal: only half of a symmetric matrix"),
            (lambda g: OFF * g, "symmetry", f"yours is exact, twice off the diagonal: {TWICE}"),
            (lambda g: np.tril(OFF * g), "symmetry", f"{TWICE}, and 0 above it"),
            (lambda g: np.triu(OFF * g), "symmetry", f"{TWICE}, and 0 below it"),
        )
    },
    **{
        says: (of_first(change), curved, leaves, kind, says)
        for change, leaves, kind, says in (
            (
                *(lambda g: g.transpose(2, 0, 1).reshape(g.shape), (CUBE,), "transposed"),
                "yours is exact, its axes in order (2, 0, 1), reshaped to fit",
            ),
            (
                *(lambda g: g.reshape(4, 3, 2).transpose(2, 1, 0), (CUBE,), "transposed"),
                "yours is exact, reshaped where it should be transposed",
            ),
            (lambda g: g[::-1], (VECTOR,), "unknown", "exact, reversed along axis 0"),
            (lambda g: g[::-1, ::-1], (S,), "unknown", "exact, reversed along every axis"),
            (lambda g: np.clip(g, -0.5, 0.5), (S,), "unknown", "yours is exact, clipped at ±0.5"),
            (at_most_2_long, (S,), "unknown", "yours is exact, clipped at a norm of 2"),
            (lambda g: -0.7 * g, (np.array(1.0), VECTOR), "unknown", "params[0] is -0.7 of exact"),
        )
    },
    "factor beside": (
        *(lambda g, _: (0.7 * g[0], np.sin(g[1])), curved, (VECTOR, VECTOR), "factor"),
        "every element is 0.7 of exact",
    ),
    "one leaf": (
        *(lambda g, _: (-g[0], g[1]), curved, (VECTOR, VECTOR), "sign"),
        "yours has the wrong sign in every element of params[0]",
    ),
    "many leaves": (
        *(lambda g, _: (*(-a for a in g[:6]), g[6]), curved, (VECTOR,) * 7, "sign"),
        "in every element of params[0], params[1], params[2], params[3] and 2 more",
    ),
    # Nobody can tell whether a loss that is not traced has a penalty.
    "less decay": (
        *(lambda g, p: (g[0] - 0.2 * p[0],), curved, (VECTOR,), "weight-decay"),
        "yours is exact minus 0.2 times the parameter itself: a weight decay that yours lacks",
    ),
}


@pytest.mark.parametrize("name", THEORIES)
def test_what_explains_a_gradient(name: str) -> None:
    mistake, exact, leaves, kind, says = THEORIES[name]
    (found,) = told(mistake, exact, *leaves)
    assert (found.kind, says in found.says) == (kind, True), found


def test_a_leaf_that_is_wrong_at_later_points_alone_has_no_theory() -> None:
    def rarely(exact: Leaves, leaves: Leaves) -> Leaves:
        odd = np.where(leaves[1] > 2.4, np.sin(exact[1]), exact[1])
        return -exact[0], odd

    found = evidence_of(rarely, curved, VECTOR, VECTOR)
    assert not found.fit[0].wrong[4:].any()
    assert found.wrong[4:].any()
    assert [(d.kind, d.leaves) for d in told(rarely, curved, VECTOR, VECTOR)] == [
        ("sign", ("params[0]",))
    ]


def distance(leaves: Any) -> Any:
    return jnp.sum((leaves[0] - jnp.array([0.3, -0.8, 1.1])) ** 2)


def two_terms(leaves: Any) -> Any:
    """The second has so much of each leaf's derivative that each seems to lack a factor."""
    u, v = jnp.sum(jnp.sin(leaves[0])), jnp.sum(jnp.exp(leaves[1]))
    return (u + v) + (u + 2.0 * v)


def apart(leaves: Any) -> Any:
    return jnp.sum(jnp.sin(leaves[0])) + jnp.sum(jnp.exp(leaves[1]))


def of(loss: Any) -> Callable[..., Leaves]:
    def exact(*leaves: Any) -> Leaves:
        with jax.enable_x64(True):
            return jax.tree.map(np.asarray, jax.grad(loss)(leaves))

    return exact


#: A loss, a mistake, the parameters, the kind, and what is said.
LINKS: dict[str, tuple[Any, Mistake, Leaves, str, str]] = {
    # It would be a negative weight decay if the loss had a penalty.
    "no penalty": (
        *(distance, lambda g, p: (g[0] - 2 * p[0],), (np.ones(3),), "unknown"),
        "params[0] is left out of the forward pass",
    ),
    "one term for two factors": (
        *(two_terms, lambda g, _: (g[0] / 2, g[1] / 3), (np.ones(2), np.ones(3)), "unknown"),
        "a term is missing",
    ),
    # A sum over a wrong axis may be 0 up to rounding; a term that is missing is 0.
    "nearly 0": (
        *(apart, lambda g, _: (1e-18 * np.cos(g[0]), g[1]), (np.ones(2), np.ones(3)), "zero"),
        "yours is 0 in every element",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LINKS)
def test_a_link_or_the_leaves(name: str) -> None:
    loss, mistake, leaves, kind, says = LINKS[name]
    (found,) = told(mistake, of(loss), *leaves, loss=loss)
    assert (found.kind, says in found.says) == (kind, True), found


@pytest.mark.parametrize(("off", "decaying"), [(5e-7, True), (1.5e-6, False)])
def test_a_decay_is_a_constant_times_the_parameters_up_to_rounding(
    off: float, decaying: bool
) -> None:
    found = evidence_of(lambda g, _: g, curved, VECTOR)

    def through(_: int, given: Any) -> Any:
        return 0.3 * given.leaves[0] * np.array([1, 1, 1, 1 + off])

    run: Any = SimpleNamespace(through=through)
    assert kinds.decays(run, 0, found, np.ones(4, dtype=bool)) is decaying
