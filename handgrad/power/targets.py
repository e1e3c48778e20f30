"""The caller's derivative of a report, in which mistakes are planted for a test to find."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from handgrad.judging.claim import Claim
from handgrad.judging.outcome import Trial
from handgrad.power.mistakes import Call, Leaves, Mistake, mistakes


@dataclass(frozen=True, eq=False)
class Target:
    """A function that returns a derivative, as the caller gave it."""

    function: Callable[..., Any]
    root: str  #: what its leaves are called, `w`, before their places
    paths: tuple[str, ...]  #: those of the leaves, if there are as many
    claim: Claim
    has_value: bool  #: whether it returns (value, derivative)

    @property
    def name(self) -> str:
        """The name of the function, for messages."""
        return getattr(self.function, "__name__", self.root)

    def mistakes(self, call: Call, keys: tuple[str, ...], leaves: Leaves) -> Iterator[Mistake]:
        """Yield the mistakes to plant.

        Args:
            call: a call of the function.
            keys: the places of the leaves in what it returned.
            leaves: arrays of NumPy like them.
        """
        paths = self.paths if len(self.paths) == len(keys) else [self.root + key for key in keys]
        params = [np.shape(leaf) for leaf in call.params] if self.claim.is_gradient else []
        decays = params == [leaf.shape for leaf in leaves]
        yield from mistakes(self.claim, paths, leaves, call, decays, plain=True)


def target_of(trial: Trial) -> Target:
    """Return the derivative that a report is on.

    Raises:
        ValueError: no function of the caller's returns it.
    """
    case, given = trial.case, trial.outcomes[0].given
    check = case.claim.check(case)
    if check is None or check.derivative is None:
        what = "expected one on a gradient, a backward step, a Jacobian or a Hessian"
        raise ValueError(
            f"power: got a report on a rule, which no function of yours returns, {what}"
        )
    function, _ = check.functions[check.derivative]
    root = check.root or given.names.params
    return Target(function, root, given.paths, case.claim, case.has_value)


def keys_of(tree: Any, is_leaf: Callable[[Any], bool]) -> tuple[tuple[str, ...], Leaves, Any]:
    """Return the places of the leaves of a pytree, the leaves, and its structure."""
    found, structure = jax.tree_util.tree_flatten_with_path(tree, is_leaf=is_leaf)
    return (
        tuple(jax.tree_util.keystr(path) for path, _ in found),
        [leaf for _, leaf in found],
        structure,
    )
