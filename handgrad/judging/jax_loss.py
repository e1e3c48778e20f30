"""A loss that JAX can trace: the oracle evaluates its program, and `jax.grad` is judged too."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import numpy as np

from handgrad.data.point import Point, real_inputs, signature, vector
from handgrad.data.pytrees import split
from handgrad.judging import estimate
from handgrad.judging.case import Case
from handgrad.oracle.certify import certify
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.reference import Reference
from handgrad.oracle.truncation import truncation
from handgrad.program.interpreter import UncertifiedPrimitiveError
from handgrad.program.trace import Traced, trace
from handgrad.tolerance.tolerances import Tolerance, measure

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


@dataclass(frozen=True, eq=False)
class JaxLoss:
    """The loss of a case as JAX's program; one program for all points of the same shapes."""

    case: Case
    #: By the form of the point. A form may hold the id of a leaf, so the leaves are kept alive.
    _programs: dict[Any, tuple[Traced, list[Any]]] = field(default_factory=dict, repr=False)
    _compiled: dict[Traced, Callable[..., Any]] = field(default_factory=dict, repr=False)

    @property
    def has_autodiff(self) -> bool:
        """Whether JAX can differentiate the loss, so that its gradient can be judged, too."""
        if self.case.autodiff is not None:
            return self.case.has_autodiff
        return all(traced.gradient is not None for traced, _ in self._programs.values())

    def answers(self, given: Point) -> tuple[float, np.ndarray]:
        """Return the loss and its gradient as `jax.grad` gives them to the caller."""
        autodiff = self._autodiff(given)
        with jax.enable_x64(given.wide):
            loss, grads = autodiff(given.arrays, *given.inputs)
            leaves = [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(grads)]
            return float(loss), vector(leaves)

    def problem(self, given: Point, suspects: Sequence[int] = ()) -> Problem:
        """Return the traced loss at a point; `suspects` are the elements to certify first."""
        traced = self.traced(given)
        inputs = real_inputs(given) if traced.traced_inputs else []
        return Problem(traced, given.leaves, inputs, self.case.trusted, tuple(suspects))

    def reference(self, given: Point, suspects: Sequence[int] = ()) -> Reference:
        """Return the certified gradient; see `handgrad.oracle.certify`."""
        return certify(self.problem(given, suspects), self.case.referee)

    def measured(self, given: Point, suspects: Sequence[int] = ()) -> tuple[Reference, Tolerance]:
        """Return the reference and both tolerances; an estimate if an operation has no rule."""
        try:
            reference = self.reference(given, suspects)
            problem = self.problem(given)
            measures = measure(problem, reference, self.case.seed)
            return reference, replace(measures, truncation=truncation(problem, reference))
        except UncertifiedPrimitiveError as missing:
            return estimate.reference(self.case.loss, given, missing.name, self.case.seed)

    def traced(self, given: Point) -> Traced:
        """Return the traced loss; points that differ only in real numbers share one."""
        leaves, tree = jax.tree_util.tree_flatten((given.params, given.inputs))
        form = (str(tree), *(signature(leaf) for leaf in leaves))
        if form not in self._programs:
            self._programs[form] = trace(self.case.loss, given.arrays, given.inputs), leaves
        return self._programs[form][0]

    def _autodiff(self, given: Point) -> Callable[..., Any]:
        """Return (params, *inputs) -> (loss, gradient), as the caller gets them from JAX."""
        if self.case.autodiff is not None:
            return self.case.autodiff
        traced, loss = self.traced(given), self.case.loss
        if not (traced.loops and traced.traced_inputs):
            return traced.differentiate(loss)
        # JAX compiles loops at every call unless the whole is compiled once. Other inputs than real
        # arrays may decide how the loss is traced, so they stay outside.
        if traced not in self._compiled:
            _, together = split(given.inputs)
            compiled = jax.jit(
                lambda params, real: traced.differentiate(loss)(params, *together(real))
            )
            self._compiled[traced] = lambda params, *inputs: compiled(params, split(inputs)[0])
        return self._compiled[traced]
