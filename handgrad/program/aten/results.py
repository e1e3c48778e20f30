"""The sizes, strides and dtypes that PyTorch gives the results of an operation."""

from typing import Any

from handgrad.program.aten.installed import importing, torch
from handgrad.program.aten.traced_tensor import TracedTensor

_elementwise: Any = importing("torch._prims_common")

#: Results of operations by their arguments' forms: looking at one takes 50 to 500 µs.
_KNOWN: dict[Any, Any] = {}
_MOST = 4096


class Results:
    """What an operation returns at arguments of some form."""

    def __init__(self, forms: Any, computed: Any) -> None:
        self.forms = forms  # tensors without values; None if only running it can tell
        self.computed = computed  # the dtype in which an elementwise operation computes


def results(function: Any, args: Any, kwargs: Any) -> Results:
    """Return the form of an operation's results, by running it on tensors without values."""
    try:
        key = function, _key(args), _key(kwargs)
        found = _KNOWN.get(key)
    except TypeError:  # what cannot be hashed
        return _results(function, args, kwargs)
    if found is None:
        if len(_KNOWN) >= _MOST:
            _KNOWN.clear()
        found = _KNOWN[key] = _results(function, args, kwargs)
    return found


def _key(x: Any) -> Any:
    if isinstance(x, TracedTensor):
        return tuple(x.size()), x.stride(), x.dtype
    if isinstance(x, (list, tuple)):
        return tuple(map(_key, x))
    if isinstance(x, dict):
        return tuple((name, _key(value)) for name, value in x.items())
    return type(x), x


def _results(function: Any, args: Any, kwargs: Any) -> Results:
    args, kwargs = _without_values(args), _without_values(kwargs)
    if "device" in kwargs:
        kwargs["device"] = torch.device("meta")
    try:
        forms = function(*args, **kwargs)
    except NotImplementedError:
        forms = None
    return Results(forms, _computed(forms, args))


def _without_values(x: Any) -> Any:
    if isinstance(x, TracedTensor):
        return torch.empty_strided(x.size(), x.stride(), dtype=x.dtype, device="meta")
    if isinstance(x, (list, tuple)):
        return type(x)(map(_without_values, x))
    if isinstance(x, dict):
        return {name: _without_values(value) for name, value in x.items()}
    return x


def _computed(forms: Any, args: Any) -> Any:
    """Return the dtype in which an operation on elements computes."""
    numbers = [a for a in args if isinstance(a, (torch.Tensor, int, float, complex, bool))]
    if not any(isinstance(a, torch.Tensor) for a in numbers):
        return None
    kind = _elementwise.ELEMENTWISE_TYPE_PROMOTION_KIND.NO_OPMATH
    common = _elementwise.elementwise_dtypes(*numbers, type_promotion_kind=kind)[0]
    result = getattr(forms, "dtype", common)
    exact = not (common.is_floating_point or common.is_complex)
    return result if exact and (result.is_floating_point or result.is_complex) else common
