"""What each operation of ATen does while a function is traced."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from handgrad.program.aten import operations, writes
from handgrad.program.aten.errors import covering, uncovered
from handgrad.program.aten.gradient_mode import GradientMode
from handgrad.program.aten.installed import (
    DECOMPOSITIONS,
    TO_NUMPY,
    TO_TORCH,
    DispatchMode,
    aten,
    torch,
    without_dispatch,
    without_torch_function,
)
from handgrad.program.aten.lifting import Lifted, mapped
from handgrad.program.aten.operations.composed import on_each
from handgrad.program.aten.registry import (
    COMPOSED,
    OPERATIONS,
    name_of,
    packet_and_overload,
)
from handgrad.program.aten.results import results
from handgrad.program.aten.traced_tensor import (
    TracedTensor,
    array_of,
    constant,
    holding,
    not_plain,
)
from handgrad.program.aten.views import Origin, check_strided, is_list_of_views, is_view

assert operations  # which fills the table


#: What a rule does not see: where and how the result is stored.
_OF_STORAGE = frozenset({"device", "layout", "pin_memory", "memory_format", "non_blocking"})

#: Their results depend on the form of a tensor and not on its values.
_OF_FORM = frozenset(
    {"empty_like", "zeros_like", "ones_like", "full_like", "rand_like", "randn_like"}
    | {"randint_like", "new_empty", "new_zeros", "new_ones", "new_full", "new_empty_strided"}
    | {"_has_same_storage_numel", "is_same_size"}
)

#: PyTorch only notes these on a tensor, and in a dispatch mode its kernels do not look there.
_NOTED = frozenset({"_conj", "_neg_view"})


class Dispatch(DispatchMode):
    """Runs operations of ATen on the JAX values that tensors stand for."""

    def __init__(self) -> None:
        super().__init__()
        self.lifted = Lifted()
        self.gradients = GradientMode()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run an operation; PyTorch calls this for each of them."""
        with without_torch_function():
            args, kwargs = mapped(self.lifted.of, (args, kwargs or {}))
            return self._run(function, args, kwargs)

    def _run(self, function: Any, args: Any, kwargs: Any) -> Any:
        if torch.Tag.inplace_view in function.tags:
            return self._become_view(function, args, kwargs)
        if is_list_of_views(function):
            return self._decomposed(function, args, kwargs)
        if "device" in kwargs:
            kwargs = {**kwargs, "device": torch.device("cpu")}
        if function in (aten.lift_fresh.default, aten.lift.default):
            return args[0]
        name = name_of(function)
        if name in _NOTED:
            not_plain(args[0])
        if all(tensor.is_plain for tensor in _tensors((args, kwargs))):
            return self._plainly(function, args, kwargs)
        if name.partition(".")[0] in _OF_FORM:
            return self._plainly(function, mapped(_placeholder, args), kwargs)
        if name == "_local_scalar_dense":
            value = array_of(args[0])
            return bool(value) if value.dtype == bool else value.item()
        if name not in OPERATIONS:
            known = function._schema.is_mutable and writes.without_writes(function)
            rewrite = self._writing if known else self._decomposed
            return rewrite(function, args, kwargs)
        if name.startswith("as_strided"):
            check_strided(*args, **kwargs)
        if is_view(function):
            return self._views(results(function, args, kwargs), function, args, kwargs)
        return self._computed(OPERATIONS[name], function, args, kwargs)

    def _plainly(self, function: Any, args: Any, kwargs: Any) -> Any:
        """Let PyTorch run an operation on tensors that depend on no traced value."""
        made = function(*mapped(_plain, args), **mapped(_plain, kwargs))
        if name_of(function).removeprefix("new_").startswith("empty"):
            made.zero_()  # what lay in memory may be no number, and is the program's constant
        if is_view(function):
            return self._views(made, function, args, kwargs)
        known = {id(tensor.plain): tensor for tensor in _tensors((args, kwargs))}
        for tensor in _tensors(writes.targets(function, args, kwargs)):
            tensor.memory.written()

        def tensor(plain: Any) -> TracedTensor:
            return known[id(plain)] if id(plain) in known else constant(plain)

        return mapped(tensor, made)

    def _views(self, made: Any, function: Any, args: Any, kwargs: Any) -> Any:
        base, *rest = args
        base.has_views = True
        stopped = not self.gradients.has_slope
        if function is aten.detach.default:
            stopped |= not self.gradients.in_forward

        plain = made if base.is_plain else None
        origin = Origin(base, function, tuple(rest), kwargs, stopped)
        return TracedTensor(made, base.memory, plain, origin)

    def _become_view(self, function: Any, args: Any, kwargs: Any) -> TracedTensor:
        """Make a tensor the view of what it was, as `x.squeeze_()` does.

        PyTorch's own functions do it to what they have just made: `linear` of a vector, `quantile`.
        """
        tensor, *rest = args
        pure = writes.without_writes(function)
        if pure is None or name_of(pure) not in OPERATIONS or tensor.has_views:
            raise uncovered(
                f"{function}, which changes the shape of a tensor in place,",
                f"use {packet_and_overload(function)[0].removesuffix('_')}, which returns another",
            )
        before = TracedTensor(tensor, tensor.memory, tensor.plain, tensor.origin)
        view = self._run(pure, (before, *rest), kwargs)
        with without_dispatch():
            function(tensor, *rest, **kwargs)
        tensor.origin, tensor.plain, tensor.present = view.origin, view.plain, None
        return tensor

    def _computed(self, rule: Callable[..., Any], function: Any, args: Any, kwargs: Any) -> Any:
        """Run a rule and give its results the forms that PyTorch gives them."""
        forms = None if _is_primitive(function) else results(function, args, kwargs)
        options = {name: _converted(x) for name, x in kwargs.items() if name not in _OF_STORAGE}
        operands = [_converted(x) for x in args]
        with covering(function):
            made = rule(*operands, **options)
        return self._held(function, made, forms)

    def _held(self, function: Any, made: Any, forms: Any) -> Any:
        if made is None or isinstance(made, (bool, int, float, complex)):
            return made
        if isinstance(made, (list, tuple)):
            forms = forms or [None] * len(made)
            return tuple(self._held(function, m, f) for m, f in zip(made, forms, strict=True))
        array = jnp.asarray(made)
        if forms is None:
            forms = torch.empty(array.shape, dtype=TO_TORCH[array.dtype], device="meta")
        if array.size == 0:  # what is saved for a backward pass, and on some devices is not
            forms = torch.empty(array.shape, dtype=forms.dtype, device="meta")
        if array.shape != tuple(forms.size()):
            got, expected = array.shape, tuple(forms.size())
            raise AssertionError(f"{function}: its rule gave shape {got}, PyTorch gives {expected}")
        array = self.gradients.passed(array.astype(TO_NUMPY[forms.dtype]))
        return holding(array, forms, self.gradients.has_slope)

    def _writing(self, function: Any, args: Any, kwargs: Any) -> Any:
        """Run an operation that writes to arguments as one that does not, and write the results."""
        pure = writes.without_writes(function)
        results(function, args, kwargs)  # which refuses what PyTorch refuses, say another dtype
        made = self._run(pure, args, writes.without_out(function, kwargs))
        targets = writes.targets(function, args, kwargs)
        values = [made] if isinstance(made, TracedTensor) else made
        for target, value in zip(_tensors(targets), values, strict=True):
            writes.assign(target, array_of(value), self.gradients.has_slope)
        if not function._schema.returns:
            return None
        return targets[0] if len(targets) == 1 else tuple(targets)

    def _decomposed(self, function: Any, args: Any, kwargs: Any) -> Any:
        """Run an operation as a function of others, as PyTorch writes it, or a row of ours."""
        written = COMPOSED.get(name_of(function)) or DECOMPOSITIONS.get(function)
        written = written or on_each(function)
        forms = results(function, args, kwargs) if written and not _is_primitive(function) else None
        with self, covering(function):
            made = (written or function.decompose)(*args, **kwargs)
        if made is NotImplemented:
            raise uncovered(str(function))
        if forms is None or not _is_laid_out_otherwise(made, forms):
            return made
        return holding(array_of(made), forms, self.gradients.has_slope)


def _is_primitive(function: Any) -> bool:
    """Tell whether an operation is one of those of which PyTorch makes others."""
    return function.namespace == "prims"


def _is_laid_out_otherwise(made: Any, form: Any) -> bool:
    """Tell whether a new tensor has other strides than PyTorch's kernels give it."""
    if not isinstance(made, TracedTensor) or made.origin is not None or made.is_plain:
        return False
    return made.size() == form.size() and made.stride() != form.stride()


def _tensors(x: Any) -> list[TracedTensor]:
    found: list[TracedTensor] = []
    mapped(found.append, x)
    return found


def _plain(tensor: TracedTensor) -> Any:
    return tensor.plain


def _placeholder(tensor: TracedTensor) -> TracedTensor:
    """Return a tensor of the same form that has no values."""
    return constant(torch.empty_strided(tensor.size(), tensor.stride(), dtype=tensor.dtype))


def _converted(x: Any) -> Any:
    """Return what a rule gets for an argument of an operation."""
    if isinstance(x, TracedTensor):
        return array_of(x)
    if isinstance(x, (list, tuple)):
        return type(x)(map(_converted, x))
    return TO_NUMPY[x] if isinstance(x, torch.dtype) else x
