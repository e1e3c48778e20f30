"""What kind of derivative a function is: by its name, and by what it is the derivative of."""

import re
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple

from handgrad.commands.targets import example_of
from handgrad.data.attempts import best_effort
from handgrad.data.findings import NotJudged


class Kind(NamedTuple):
    """A kind of derivative: the names it is known by, and how it is called."""

    words: tuple[str, ...]  #: what it is called beside NAME: NAME_hess, hess_NAME
    alone: tuple[str, ...]  #: what it is called by itself
    beside: tuple[str, ...]  #: the function beside that
    form: str  #: how it is called
    function: str  #: how what it is the derivative of is called
    title: str  #: what one is called in a sentence


_OF_PRODUCT = ("hess_prod", "hessp", "hvp")
_OF_GRADIENT = ("grad", "gradient", "der", "deriv", "derivative", "prime", "d")

#: Of hess_prod_NAME, hess is the beginning, so the product comes first.
KINDS = {
    "hvp": Kind(
        *(_OF_PRODUCT, _OF_PRODUCT, ("loss", "fun")),
        *("hessp(x, v, *args)", "loss(x, *args)", "a Hessian's product"),
    ),
    "hessian": Kind(
        *(("hess", "hessian"), ("hess", "hessian"), ("loss", "fun")),
        *("hess(x, *args)", "loss(x, *args)", "a Hessian"),
    ),
    "jacobian": Kind(
        *(("jac", "jacobian"), ("jac", "jacobian"), ("loss", "fun", "residuals")),
        *("jac(x, *args)", "fun(x, *args)", "a Jacobian"),
    ),
    "gradient": Kind(
        *(_OF_GRADIENT, ("grad", "gradient"), ("loss",)),
        *("gradient(params, *inputs)", "loss(params, *inputs)", "a gradient"),
    ),
}

#: Those that are too short to stand behind NAME.
_ONLY_BEFORE = ("d",)


def named(name: str, module: ModuleType) -> tuple[str, tuple[str, ...]] | None:
    """Return of which kind a name is, and the functions of the module that it may be of.

    None if it is no derivative's of one; more than one are ambiguous.
    """

    def there(function: str) -> bool:
        return function != name and callable(getattr(module, function, None))

    for kind, of_kind in KINDS.items():
        if name in of_kind.alone and (functions := tuple(filter(there, of_kind.beside))):
            return kind, functions
        before = re.fullmatch(rf"(_*)(?:{'|'.join(of_kind.words)})_(.+)", name)
        last = [word for word in of_kind.words if word not in _ONLY_BEFORE]
        after = re.fullmatch(rf"(.+)_(?:{'|'.join(last)})", name)
        stems = [after[1]] if after else []
        stems += [before[1] + before[2]] if before else []
        if stem := next(filter(there, stems), None):
            return kind, (stem,)
    return None


def settled(kind: str, function: str, value: Any, title: str) -> str | NotJudged:
    """Return the kind of what has a derivative's name, as its function returns one number or more.

    Args:
        kind: by the name; a Jacobian of one number is a gradient, as in SciPy.
        function: its name.
        value: what the function returns at the example; None if it could not be called.
        title: of the row for what is not judged.
    """
    # If it could not be called, the check says what it raises.
    shape = () if value is None else _shape(value)
    if kind == "jacobian":
        return "gradient" if shape == () else kind
    if shape == ():
        return kind
    what = "several arrays" if shape is None else f"an array of shape {shape}"
    right = f"{function}_jac, or a mark by @handgrad.jacobian_of, would say that it is a Jacobian"
    return NotJudged(
        title, f"{function} returns {what}, and {KINDS[kind].title} is of one number; {right}"
    )


def ambiguous(kind: str, functions: Sequence[str], name: str, title: str) -> NotJudged:
    """Say that a derivative may be that of several functions."""
    marks = "gradient_of or @handgrad.jacobian_of" if kind == "jacobian" else f"{kind}_of"
    beside = " and ".join(functions)
    return NotJudged(title, f"{beside} are beside {name}; @handgrad.{marks} would say of which")


def value_of(function: Any, like: Any, where: str) -> Any:
    """Return what a function returns at an example, on JAX's arrays if it needs these.

    None if it or the example raises, as the check will.
    """
    import copy

    import jax

    from handgrad.data.pytrees import split, wide
    from handgrad.judging.pytorch.random import drawn_numbers_kept

    with drawn_numbers_kept(), best_effort():
        return function(*copy.deepcopy(example_of(like, where)))
    with best_effort():
        real, together = split(example_of(like, where))
        with wide(real):
            return function(*together([jax.numpy.asarray(array) for array in real]))
    return None


def _shape(value: Any) -> tuple[int, ...] | None:
    """Return the shape of an array, number or list of numbers; None of anything else."""
    import numpy as np

    if isinstance(value, dict):
        return None
    try:
        return tuple(np.shape(value))
    except ValueError:  # a list of arrays of several shapes
        return None
