"""Gradients, losses and backward steps in PyTorch, as functions of arrays.

A case and its points hold arrays. The caller's gradient gets fresh tensors with the values of the
arrays it is called with. On the CPU they share their memory, and from another device they are
copied back, so that what it writes to is seen. Its loss is traced by JAX. PyTorch is not loaded
before a tensor or a module is seen.
"""

import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import Any

import jax
import numpy as np

from handgrad.data.advised import or_else
from handgrad.data.attempts import best_effort, raise_internal
from handgrad.data.findings import Finding
from handgrad.data.names import Names
from handgrad.data.point import copied
from handgrad.judging.case import Case, Own
from handgrad.judging.form import FaultyFormError
from handgrad.judging.pytorch.leaves import arrays_of, copied_back, fresh, unused
from handgrad.judging.pytorch.modules import Module, judged
from handgrad.program.aten.tensors import is_module, is_tensor, to_tensor

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


#: What helps where a function cannot be traced, and where a loss cannot.
REWRITE = "write it in JAX or NumPy, for arrays"
OTHER_LOSS = "give a loss in JAX or NumPy of the same formula"


def holds_torch(tree: Any) -> bool:
    """Tell whether arguments hold tensors or modules of PyTorch."""
    if "torch" not in sys.modules:
        return False
    try:
        leaves = jax.tree_util.tree_leaves(tree)
    except ValueError:  # of keys that cannot be sorted, which is said elsewhere
        return False
    return any(is_tensor(leaf) or is_module(leaf) for leaf in leaves)


def in_arrays(case: Case, at: tuple[Any, ...], points: Any = 0) -> tuple[Case, Any, Names, Any]:
    """Return a case, its arguments, their names and points with arrays in place of tensors.

    Raises:
        TypeError: a module has no parameter that requires grad, or another one is at a point.
    """
    names = Names.of(case.loss, len(at))
    if not holds_torch(at):
        return case, at, names, points
    arguments = CaseArguments(at)
    if isinstance(arguments.module, Module):
        names = replace(names, leaves=tuple(sorted(arguments.module.names)))
    if isinstance(points, list | tuple):
        points = [
            CaseArguments(tuple(p)).arrays if isinstance(p, list | tuple) and p else p
            for p in points
        ]
    written = None if arguments.module else lambda *given: arguments.tensors(given)
    adapted = replace(
        case,
        gradient=arguments.gradient(case.gradient, case.has_value),
        loss=arguments.loss(case.loss),
        own=Own((case.gradient, case.loss), written),
    )
    return adapted, arguments.arrays, names, points


def step_in_arrays(
    forward: Callable[..., Any], backward: Callable[..., Any], inputs: tuple[Any, ...], given: Any
) -> tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...], Any, Own | None]:
    """Return a backward step, its inputs and its cotangent with arrays in place of tensors."""
    if not holds_torch(inputs):
        return forward, backward, inputs, given, None
    arguments = CaseArguments(inputs)

    @wraps(forward)
    def passed(*args: Any) -> Any:
        if in_jax_arrays(args):
            return arguments.traced(forward)(*args)
        tensors = arguments.tensors(args)
        with arguments.copied_back(tensors, args):
            result = forward(*tensors)
        if not isinstance(result, tuple | list) or len(result) != 2:
            return result
        return arrays_of(result[0]), result[1]

    @wraps(backward)
    def went_back(cotangent: Any, cache: Any) -> Any:
        if in_jax_arrays((cotangent, cache)):
            return traced(backward)(cotangent, cache)
        tensors = jax.tree_util.tree_map(lambda c: to_tensor(c).to(arguments.device), cotangent)
        with copied_back(tensors, cotangent):
            return arrays_of(backward(tensors, cache))

    own = Own((forward, backward), lambda *args: arguments.tensors(args))
    return passed, went_back, arguments.arrays, arrays_of(given), own


def traced(f: Callable[..., Any], module: Any = None, help_: str = REWRITE) -> Callable[..., Any]:
    """Return a function in PyTorch as one that JAX traces; see `in_jax`."""
    from handgrad.program.aten.tracing import in_jax

    return or_else(help_)(in_jax(f, module))


def in_jax_arrays(tree: Any) -> bool:
    """Tell whether arguments hold arrays of JAX's, to be traced or rerun by it."""
    return any(isinstance(leaf, jax.Array) for leaf in jax.tree_util.tree_leaves(tree))


def _are_floats(tree: Any) -> bool:
    """Tell whether arguments hold NumPy's numbers alone: no tracers, and no power series."""
    of_objects = np.dtype(object)
    dtypes = (getattr(leaf, "dtype", None) for leaf in jax.tree_util.tree_leaves(tree))
    return not in_jax_arrays(tree) and of_objects not in dtypes


@dataclass(frozen=True, eq=False)
class CaseArguments:
    """Arguments of the caller's functions: what of them is a tensor, and the module, if any."""

    own: tuple[Any, ...]  #: the caller's

    @property
    def module(self) -> Module | None:
        """The first argument, if it is a module."""
        return Module(self.own[0]) if is_module(self.own[0]) else None

    @property
    def arrays(self) -> tuple[Any, ...]:
        """The arguments with arrays in place of tensors, and of the module."""
        first = self.module.arrays if self.module else copied(arrays_of(self.own[0]))
        return first, *copied(arrays_of(self.own[1:]))

    def tensors(self, args: Sequence[Any]) -> tuple[Any, ...]:
        """Return arguments with fresh tensors, made of arrays, where the caller had tensors."""
        inputs = jax.tree_util.tree_map(fresh, self.own[1:], tuple(args[1:]))
        if self.module is None:
            return jax.tree_util.tree_map(fresh, self.own[0], args[0]), *inputs
        tensors = jax.tree_util.tree_map(to_tensor, args[0])
        return self.module.with_tensors(tensors), *inputs

    @property
    def device(self) -> Any:
        """That of the first tensor."""
        return next(x.device for x in jax.tree_util.tree_leaves(self.own) if is_tensor(x))

    def copied_back(
        self, tensors: Sequence[Any], args: Sequence[Any]
    ) -> AbstractContextManager[None]:
        """Copy what is written to what `tensors` has made of arrays back to these."""
        first = judged(tensors[0]) if self.module else tensors[0]
        return copied_back((first, *tensors[1:]), tuple(args))

    def traced(self, f: Callable[..., Any], help_: str = REWRITE) -> Callable[..., Any]:
        """Return a function in PyTorch as one that JAX traces; `help_` says what if it cannot be.

        Arrays stand for tensors among the first argument, and elsewhere where the caller had them.
        """

        @wraps(f)
        def call(*args: Any) -> Any:
            # What was no tensor of the caller's stays as it is.
            inputs = jax.tree_util.tree_map(
                lambda own, x: x if is_tensor(own) else partial(unused, x),
                self.own[1:],
                tuple(args[1:]),
            )

            def opened(inputs: Any) -> Any:
                kept = lambda x: x() if isinstance(x, partial) else x  # noqa: E731
                return jax.tree_util.tree_map(kept, inputs)

            if self.module is None:
                run = traced(lambda first, *more: f(first, *opened(more)), help_=help_)
            else:  # which has the traced parameters while this runs
                module = self.module.module
                run = traced(lambda *more: f(module, *opened(more)), module)
            return run(args[0], *inputs)

        return call

    def loss(self, loss: Callable[..., Any]) -> Callable[..., Any]:
        """Return a loss in PyTorch, JAX or NumPy as one that JAX or NumPy runs on arrays."""

        @wraps(loss)
        def run(*args: Any) -> Any:
            if _are_floats(args):
                return self._value(loss, args)
            try:
                with warnings.catch_warnings():
                    # NumPy's of a tensor, which it does not get.
                    warnings.filterwarnings("ignore", message="__array__")
                    return self.traced(loss, OTHER_LOSS)(*args)
            except Exception as error:  # whatever a loss raises that is not in PyTorch
                first = error
            if self.module is None:
                try:
                    return loss(*args)
                except Exception:  # what it raises on arrays says less than the first
                    if not self._runs_on_tensors(loss):
                        raise  # of a loss in JAX, which knows no tensors
            raise first

        return run

    def _runs_on_tensors(self, loss: Callable[..., Any]) -> bool:
        with best_effort():  # whatever a loss raises that is not in PyTorch
            loss(*self.tensors(self.arrays))
            return True
        return False

    def _value(self, loss: Callable[..., Any], args: Sequence[Any]) -> Any:
        """Return a loss in floats: that of tensors, or else that of arrays."""
        try:
            return arrays_of(loss(*self.tensors(args)))
        except Exception as error:  # whatever a loss raises that is not in PyTorch
            raise_internal(error)
            if self.module is not None:
                raise
            return loss(*args)

    def gradient(self, gradient: Callable[..., Any], has_value: bool) -> Callable[..., Any]:
        """Return a gradient in PyTorch as one of arrays; `.grad` is read of what returns None."""

        @wraps(gradient)
        def call(*args: Any) -> Any:
            if in_jax_arrays(args):
                return self.traced(lambda *given: self._answer(gradient, given, has_value))(*args)
            given = self.tensors(args)
            with self.copied_back(given, args):
                return arrays_of(self._answer(gradient, given, has_value))

        return call

    def _answer(self, gradient: Callable[..., Any], given: Any, has_value: bool) -> Any:
        found = gradient(*given)
        if not has_value:
            self._check_no_loss(found, given[0])
            return self._grads(found, given[0])
        if isinstance(found, tuple | list) and len(found) == 2:
            return found[0], self._grads(found[1], given[0])
        return found

    def _check_no_loss(self, found: Any, params: Any) -> None:
        """Refuse a number that is returned beside a `.grad` that was filled: it is the loss."""
        one = self.module is None and is_tensor(params) and not params.ndim
        number = isinstance(found, float | np.generic) or (is_tensor(found) and not found.ndim)
        if number and not one and _of_backward(params, self.module) is not None:
            what = "the gradient returned a number and has filled .grad; expected None, or "
            what += "(loss, grads) with has_value=True, where grads may be None"
            raise FaultyFormError([Finding.of_form("structure", None, what)])

    def _grads(self, found: Any, params: Any) -> Any:
        module = self.module
        if found is None:
            found = _of_backward(params, module)
        return module.named(found) if module and found is not None else found


def _of_backward(params: Any, module: Module | None) -> Any:
    """Return what `.backward()` has left in tensors, 0 where nothing; None if it left nothing."""
    leaves, tree = jax.tree_util.tree_flatten(params)
    if module:
        leaves = list(judged(params).values())
    grads = [getattr(leaf, "grad", None) for leaf in leaves]
    if all(g is None for g in grads):
        return None
    if module:
        return grads
    pairs = zip(leaves, grads, strict=True)
    return jax.tree_util.tree_unflatten(tree, [0 * x if g is None else g for x, g in pairs])
