"""What each operation of ATen does while a function is traced."""

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp

from handgrad.program.aten import operations
from handgrad.program.aten.dtypes import TO_NUMPY
from handgrad.program.aten.errors import uncovered
from handgrad.program.aten.installed import aten, importing, torch
from handgrad.program.aten.registry import OPERATIONS, Operation, name_of
from handgrad.program.aten.results import results
from handgrad.program.aten.traced_tensor import (
    Origin,
    TracedTensor,
    array_of,
    constant,
    holding,
    is_plain,
    write,
)
from handgrad.program.aten.views import is_view

assert operations  # which fills the table

_Mode: Any = importing("torch.utils._python_dispatch").TorchDispatchMode
_DECOMPOSITIONS: Any = importing("torch._decomp").decomposition_table

#: What a rule does not see: where and how the result is stored.
_OF_STORAGE = frozenset({"device", "layout", "pin_memory", "memory_format", "non_blocking"})

#: Their results depend on the form of a tensor and not on its values.
_OF_FORM = frozenset(
    {"empty_like", "zeros_like", "ones_like", "full_like", "rand_like", "randn_like"}
    | {"randint_like", "new_empty", "new_zeros", "new_ones", "new_full", "new_empty_strided"}
)


class Dispatch(_Mode):
    """Runs operations of ATen on the JAX values that tensors stand for."""

    def __init__(self) -> None:
        super().__init__()
        self._lifted: dict[int, tuple[Any, TracedTensor]] = {}

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run an operation; PyTorch calls this for each of them."""
        with torch._C.DisableTorchFunction():
            return self._run(function, self._lift_all(args), self._lift_all(kwargs or {}))

    def _run(self, function: Any, args: Any, kwargs: Any) -> Any:
        if "device" in kwargs:
            kwargs = {**kwargs, "device": torch.device("cpu")}
        if function in (aten.lift_fresh.default, aten.lift.default):
            return args[0]
        if all(map(is_plain, _tensors((args, kwargs)))):
            return _plainly(function, args, kwargs)
        name = name_of(function)
        if name.partition(".")[0] in _OF_FORM:
            return _plainly(function, _placeholders(args), kwargs)
        if name == "_local_scalar_dense":
            return array_of(args[0]).item()
        if is_view(function) and name in OPERATIONS:
            return _view(function, args, kwargs)
        if name in OPERATIONS:
            return _computed(OPERATIONS[name], function, args, kwargs)
        if function._schema.is_mutable:
            return self._writing(function, args, kwargs)
        return self._decomposed(function, args, kwargs)

    def _decomposed(self, function: Any, args: Any, kwargs: Any) -> Any:
        """Run an operation as a function of others, as PyTorch itself writes it."""
        if function in _DECOMPOSITIONS:
            with self:
                return _DECOMPOSITIONS[function](*args, **kwargs)
        with self:
            made = function.decompose(*args, **kwargs)
        if made is NotImplemented:
            raise uncovered(str(function))
        return made

    def _writing(self, function: Any, args: Any, kwargs: Any) -> Any:
        """Run an operation that writes to arguments as one that does not, and write the results."""
        pure = _without_writes(function)
        if pure is None:
            return self._decomposed(function, args, kwargs)
        parameters = function._schema.arguments
        given = {p.name: a for p, a in zip(parameters, args, strict=False)} | kwargs
        targets = [given[p.name] for p in parameters if p.alias_info and p.alias_info.is_write]
        outs = {p.name for p in parameters if p.is_out}
        kept = {name: a for name, a in kwargs.items() if name not in outs}
        made = self._run(pure, args, kept)
        for target, value in zip(targets, made if isinstance(made, tuple) else [made], strict=True):
            _assign(target, array_of(value))
        return targets[0] if len(targets) == 1 else tuple(targets)

    def _lift_all(self, x: Any) -> Any:
        if isinstance(x, TracedTensor):
            return x
        if isinstance(x, torch.Tensor):
            return self._lift(x)
        if isinstance(x, (list, tuple)):
            return type(x)(map(self._lift_all, x))
        if isinstance(x, dict):
            return {name: self._lift_all(value) for name, value in x.items()}
        return x

    def _lift(self, tensor: Any) -> TracedTensor:
        """Return the tensor of the trace that stands for the caller's, which is never written."""
        if id(tensor) not in self._lifted:
            plain = tensor.detach().cpu().clone(memory_format=torch.preserve_format)
            self._lifted[id(tensor)] = tensor, constant(plain)
        return self._lifted[id(tensor)][1]


def _tensors(x: Any) -> Iterator[TracedTensor]:
    if isinstance(x, TracedTensor):
        yield x
    elif isinstance(x, (list, tuple)):
        for part in x:
            yield from _tensors(part)
    elif isinstance(x, dict):
        yield from _tensors(list(x.values()))


def _mapped(f: Any, x: Any) -> Any:
    """Apply a function to the tensors in nested lists, tuples and dicts."""
    if isinstance(x, torch.Tensor):
        return f(x)
    if isinstance(x, (list, tuple)):
        return type(x)(_mapped(f, part) for part in x)
    if isinstance(x, dict):
        return {name: _mapped(f, value) for name, value in x.items()}
    return x


def _placeholders(args: Any) -> Any:
    def placeholder(tensor: TracedTensor) -> Any:
        if is_plain(tensor):
            return tensor
        return constant(torch.empty_strided(tensor.size(), tensor.stride(), dtype=tensor.dtype))

    return _mapped(placeholder, args)


def _plainly(function: Any, args: Any, kwargs: Any) -> Any:
    """Let PyTorch run an operation on tensors that depend on no traced value."""
    made = function(*_mapped(_plain, args), **_mapped(_plain, kwargs))
    if is_view(function):
        return _as_views(made, function, args, kwargs)
    given = {id(t.plain): t for t in _tensors((args, kwargs))}
    if function._schema.is_mutable or name_of(function) in OPERATIONS:
        for tensor in given.values():
            tensor.memory.version += 1
    return _mapped(lambda plain: given.get(id(plain)) or constant(plain), made)


def _plain(tensor: TracedTensor) -> Any:
    return tensor.plain


def _as_views(made: Any, function: Any, args: Any, kwargs: Any) -> Any:
    base, *rest = args

    def view(form: Any, index: int | None) -> Any:
        origin = Origin(base, function, tuple(rest), kwargs, index)
        return TracedTensor(form, base.memory, form if is_plain(base) else None, origin)

    if isinstance(made, torch.Tensor):
        return view(made, None)
    return type(made)(view(form, index) for index, form in enumerate(made))


def _view(function: Any, args: Any, kwargs: Any) -> Any:
    return _as_views(results(function, args, kwargs), function, args, kwargs)


def _computed(row: Operation, function: Any, args: Any, kwargs: Any) -> Any:
    """Run a rule and give its results the forms that PyTorch gives them."""
    forms = results(function, args, kwargs)
    options = {name: _converted(x) for name, x in kwargs.items() if name not in _OF_STORAGE}
    made = row.rule(*map(_converted, args), **options)
    if row.writes:
        made, values = made[: -len(row.writes)], made[-len(row.writes) :]
        given = dict(zip((p.name for p in function._schema.arguments), args, strict=False)) | kwargs
        for name, value in zip(row.writes, values, strict=True):
            if given.get(name) is not None:
                _assign(given[name], value)
    return _shaped(function, made, forms)


def _converted(x: Any) -> Any:
    """Return what a rule gets for an argument of an operation."""
    if isinstance(x, TracedTensor):
        return array_of(x)
    if isinstance(x, (list, tuple)):
        return type(x)(map(_converted, x))
    return TO_NUMPY[x] if isinstance(x, torch.dtype) else x


def _shaped(function: Any, made: Any, forms: Any) -> Any:
    if isinstance(forms, (list, tuple)):
        return type(forms)(_shaped(function, m, f) for m, f in zip(made, forms, strict=True))
    if forms is None:
        if made is None or isinstance(made, (tuple, list)):
            return made and type(made)(_shaped(function, part, None) for part in made)
        forms = torch.empty(made.shape, dtype=_torch_dtype(made.dtype), device="meta")
    array = jnp.asarray(made).astype(TO_NUMPY[forms.dtype])
    if array.shape != tuple(forms.size()):
        raise AssertionError(f"{function}: got shape {array.shape}, expected {forms.size()}")
    return holding(array, forms)


def _torch_dtype(dtype: Any) -> Any:
    return next(theirs for theirs, ours in TO_NUMPY.items() if ours == dtype)


def _assign(target: TracedTensor, array: Any) -> None:
    write(target, jnp.broadcast_to(array.astype(TO_NUMPY[target.dtype]), tuple(target.size())))


def _without_writes(function: Any) -> Any:
    """Return the operation that computes what this one writes to its arguments."""
    name, _, overload = str(function).removeprefix("aten.").rpartition(".")
    parameters = function._schema.arguments
    kept = [p.name for p in parameters if not p.is_out]
    packet = getattr(aten, name.removesuffix("_"), None)
    if packet is None:
        return None
    overloads = (
        [overload, *packet.overloads()] if overload in packet.overloads() else packet.overloads()
    )
    for candidate in overloads:
        pure = getattr(packet, candidate)
        same = [p.name for p in pure._schema.arguments] == kept
        types = [str(p.type) for p in pure._schema.arguments]
        if (
            not pure._schema.is_mutable
            and same
            and types == [str(p.type) for p in parameters if not p.is_out]
        ):
            return pure
    return None
