"""The decorator that says which loss a gradient is of, for `handgrad check --all`."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: The attribute of a decorated function.
ATTRIBUTE = "__handgrad__"

#: The options of `check_gradient`, which is not imported here: a package that uses the decorator
#: does not load JAX by it.
OPTIONS = (
    "points",
    "seed",
    "referee",
    "has_value",
    "strict",
    "trust_rules",
    "seconds",
    "directions",
    "computed_in",
    "domain",
    "convention",
)


class Mark(NamedTuple):
    """What the decorator was told."""

    loss: Callable[..., Any]
    like: Any
    options: dict[str, Any]


def gradient_of(
    loss: Callable[..., Any], like: Any = None, **options: Any
) -> Callable[[_Function], _Function]:
    """Mark a function as the gradient of a loss, so that `handgrad check --all` judges it.

    The function itself is not changed or wrapped. JAX is not loaded.

    Args:
        loss: as for `check_gradient`.
        like: the arguments to judge at, a tuple (params, *inputs), or a function that returns it.
            By default what the module of the gradient has under the name of one; see `handgrad
            check --help`.
        options: those of `check_gradient`, `has_value=True` for example.

    Raises:
        TypeError: `check_gradient` has no such option; or the loss or the gradient is no function,
            or one that takes no attributes.

    Example:
        >>> import numpy as np
        >>> from handgrad import gradient_of
        >>> def cubes(w): return (w**3).sum()
        >>> @gradient_of(cubes, like=lambda: (np.array([1.0, 2.0]),))
        ... def slope(w): return 3 * w**2
    """
    if not callable(loss):
        raise TypeError(f"gradient_of: got {type(loss).__name__}, expected the loss, a function")
    for name in options:
        if name not in OPTIONS:
            known = ", ".join(OPTIONS)
            raise TypeError(f"gradient_of: got the option {name!r}, expected one of {known}")

    def marked(gradient: _Function) -> _Function:
        try:
            setattr(gradient, ATTRIBUTE, Mark(loss, like, options))
        except (AttributeError, TypeError):
            found = type(gradient).__name__
            raise TypeError(f"gradient_of: got {found}, expected a function in Python") from None
        return gradient

    return marked
