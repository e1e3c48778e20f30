"""The caller's derivative of a report, in which mistakes are planted for a test to find."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from handgrad.judging.case import BackwardStep
from handgrad.judging.matrix_parts import HessianProduct, Matrix
from handgrad.judging.outcome import Trial
from handgrad.power.mistakes import (
    Call,
    Leaves,
    Mistake,
    in_elements,
    in_leaves,
    in_matrices,
)


@dataclass(frozen=True, eq=False)
class Target:
    """A function that returns a derivative, as the caller gave it."""

    function: Callable[..., Any]
    root: str  #: what its leaves are called, `w`, before their places
    paths: tuple[str, ...]  #: those of the leaves, if there are as many
    has_value: bool = False  #: whether it returns (value, derivative)
    matrix: Matrix | None = None  #: of a Jacobian or a Hessian
    of_params: bool = False  #: whether it is a gradient, one leaf for each of the parameters

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
        params = [np.shape(leaf) for leaf in call.params] if self.of_params else []
        decays = params == [leaf.shape for leaf in leaves]
        symmetric = self.matrix is not None and self.matrix.symmetric
        yield from in_leaves(paths, leaves, call, decays, symmetric)
        if self.matrix is not None:
            yield from in_matrices(paths, leaves, symmetric)
        yield from in_elements(paths, leaves, plain=True)


def target_of(trial: Trial) -> Target:
    """Return the derivative that a report is on.

    Raises:
        ValueError: no function of the caller's returns it.
    """
    case, given = trial.case, trial.outcomes[0].given
    part, root = case.part, given.names.params
    if part is None:
        function = case.own.functions[0] if case.own else case.gradient
        return Target(function, root, given.paths, case.has_value, of_params=True)
    if isinstance(part, Matrix):
        return Target(part.derivative, case.wording.gradient, given.paths, matrix=part)
    if isinstance(part, HessianProduct):
        return Target(case.gradient, root, given.paths)
    if isinstance(part, BackwardStep):
        function = case.own.functions[1] if case.own else part.backward
        return Target(function, "cotangents", given.paths)
    what = "expected one on a gradient, a backward step, a Jacobian or a Hessian"
    raise ValueError(f"power: got a report on a rule, which no function of yours returns, {what}")


def keys_of(tree: Any, is_leaf: Callable[[Any], bool]) -> tuple[tuple[str, ...], Leaves, Any]:
    """Return the places of the leaves of a pytree, the leaves, and its structure."""
    found, structure = jax.tree_util.tree_flatten_with_path(tree, is_leaf=is_leaf)
    return (
        tuple(jax.tree_util.keystr(path) for path, _ in found),
        [leaf for _, leaf in found],
        structure,
    )
