"""The decorators that say what a function is the derivative of, for `handgrad check --all`."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: The attribute of a decorated function.
ATTRIBUTE = "__handgrad__"

_OF_MATRIX = ("points", "seed", "strict", "trust_rules", "seconds", "computed_in", "domain")

#: The options of the check of each kind of derivative. The checks are not imported here: a package
#: that uses a decorator does not load JAX by it.
OPTIONS: dict[str, tuple[str, ...]] = {
    "gradient": (
        *("points", "seed", "referee", "has_value", "strict", "trust_rules", "seconds"),
        *("directions", "computed_in", "domain", "convention"),
    ),
    "jacobian": _OF_MATRIX,
    "hessian": _OF_MATRIX,
    "hvp": _OF_MATRIX,
}


class Mark(NamedTuple):
    """What a decorator was told."""

    loss: Callable[..., Any]
    like: Any
    options: dict[str, Any]
    kind: str = "gradient"  #: one of `OPTIONS`


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
    return _marking("gradient_of", "the loss", Mark(loss, like, options))


def jacobian_of(
    fun: Callable[..., Any], like: Any = None, **options: Any
) -> Callable[[_Function], _Function]:
    """Mark a function as the Jacobian of another, so that `handgrad check --all` judges it.

    Args:
        fun: as for `check_jacobian`.
        like: as for `gradient_of`, a tuple (x, *args).
        options: those of `check_jacobian`.

    Raises:
        TypeError: as `gradient_of`.

    Example:
        >>> import numpy as np
        >>> from handgrad import jacobian_of
        >>> def swap(x): return np.array([x[1], x[0]])
        >>> @jacobian_of(swap, like=lambda: (np.array([1.0, 2.0]),))
        ... def swapping(x): return np.array([[0.0, 1.0], [1.0, 0.0]])
    """
    return _marking("jacobian_of", "a function", Mark(fun, like, options, "jacobian"))


def hessian_of(
    loss: Callable[..., Any], like: Any = None, **options: Any
) -> Callable[[_Function], _Function]:
    """Mark a function as the Hessian of a loss, so that `handgrad check --all` judges it.

    Args:
        loss: as for `check_hessian`.
        like: as for `gradient_of`, a tuple (x, *args).
        options: those of `check_hessian`.

    Raises:
        TypeError: as `gradient_of`.

    Example:
        >>> import numpy as np
        >>> from handgrad import hessian_of
        >>> def cubes(x): return (x**3).sum()
        >>> @hessian_of(cubes, like=lambda: (np.array([1.0, 2.0]),))
        ... def curvature(x): return np.diag(6 * x)
    """
    return _marking("hessian_of", "the loss", Mark(loss, like, options, "hessian"))


def hvp_of(
    loss: Callable[..., Any], like: Any = None, **options: Any
) -> Callable[[_Function], _Function]:
    """Mark `hessp(x, v, *args)` as a loss's Hessian times v: `handgrad check --all` judges it.

    Args:
        loss: as for `check_hvp`.
        like: as for `gradient_of`, a tuple (x, *args) without the vector, which is random.
        options: those of `check_hvp`.

    Raises:
        TypeError: as `gradient_of`.

    Example:
        >>> import numpy as np
        >>> from handgrad import hvp_of
        >>> def cubes(x): return (x**3).sum()
        >>> @hvp_of(cubes, like=lambda: (np.array([1.0, 2.0]),))
        ... def bent(x, v): return 6 * x * v
    """
    return _marking("hvp_of", "the loss", Mark(loss, like, options, "hvp"))


def _marking(name: str, what: str, mark: Mark) -> Callable[[_Function], _Function]:
    """Return the decorator that sets a mark; raises as `gradient_of`."""
    if not callable(mark.loss):
        found = type(mark.loss).__name__
        expected = what if what == "a function" else f"{what}, a function"
        raise TypeError(f"{name}: got {found}, expected {expected}")
    for option in mark.options:
        if option not in OPTIONS[mark.kind]:
            known = ", ".join(OPTIONS[mark.kind])
            raise TypeError(f"{name}: got the option {option!r}, expected one of {known}")

    def marked(derivative: _Function) -> _Function:
        try:
            setattr(derivative, ATTRIBUTE, mark)
        except (AttributeError, TypeError):
            found = type(derivative).__name__
            raise TypeError(f"{name}: got {found}, expected a function in Python") from None
        return derivative

    return marked
