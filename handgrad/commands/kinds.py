"""What kind of derivative a function is: by its name, and by what it is the derivative of."""

import re
from types import ModuleType
from typing import Any, NamedTuple

from handgrad.data.attempts import best_effort
from handgrad.data.findings import NotJudged

#: What a derivative is called beside NAME, by kind: NAME_hess, hess_NAME. Of hess_prod_NAME, hess
#: is the beginning, so the product comes first.
WORDS = {
    "hvp": ("hess_prod", "hessp", "hvp"),
    "hessian": ("hess", "hessian"),
    "jacobian": ("jac", "jacobian"),
    "gradient": ("grad", "gradient", "der", "deriv", "derivative", "prime", "d"),
}

#: Those that are too short to stand behind NAME.
_ONLY_BEFORE = ("d",)

#: What a derivative is called by itself, and the function beside it.
ALONE = {
    "hvp": (WORDS["hvp"], ("loss", "fun")),
    "hessian": (WORDS["hessian"], ("loss", "fun")),
    "jacobian": (WORDS["jacobian"], ("loss", "fun", "residuals")),
    "gradient": (("grad", "gradient"), ("loss",)),
}

#: How it is called.
FORMS = {
    "gradient": "gradient(params, *inputs)",
    "jacobian": "jac(x, *args)",
    "hessian": "hess(x, *args)",
    "hvp": "hessp(x, v, *args)",
}

#: How what it is the derivative of is called.
FUNCTIONS = {
    "gradient": "loss(params, *inputs)",
    "jacobian": "fun(x, *args)",
    "hessian": "loss(x, *args)",
    "hvp": "loss(x, *args)",
}

#: What one is called in a sentence.
TITLES = {
    "gradient": "a gradient",
    "jacobian": "a Jacobian",
    "hessian": "a Hessian",
    "hvp": "a Hessian's product",
}


class Named(NamedTuple):
    """What a name says of a function of a module."""

    kind: str
    functions: tuple[str, ...]  #: what it may be the derivative of; more than one is ambiguous


def named(name: str, module: ModuleType) -> Named | None:
    """Return what a name says; None if it is no derivative's of a function of the module."""

    def there(function: str) -> bool:
        return function != name and callable(getattr(module, function, None))

    for kind, words in WORDS.items():
        names, beside = ALONE[kind]
        if name in names and (functions := tuple(filter(there, beside))):
            return Named(kind, functions)
        before = re.fullmatch(rf"(_*)(?:{'|'.join(words)})_(.+)", name)
        last = [word for word in words if word not in _ONLY_BEFORE]
        after = re.fullmatch(rf"(.+)_(?:{'|'.join(last)})", name)
        stems = [after[1]] if after else []
        stems += [before[1] + before[2]] if before else []
        if stem := next(filter(there, stems), None):
            return Named(kind, (stem,))
    return None


def is_alone(name: str) -> bool:
    """Tell whether this is what a derivative is called by itself."""
    return any(name in names for names, _ in ALONE.values())


def settled(kind: str, function: str, value: Any, title: str) -> str | NotJudged:
    """Return the kind of what has a derivative's name, as its function returns one number or more.

    Args:
        kind: by the name; a Jacobian of one number is a gradient, as in SciPy.
        function: its name.
        value: what the function returns at the example; None if it could not be called.
        title: of the row for what is not judged.
    """
    if value is None:
        return "gradient" if kind == "jacobian" else kind  # which says what it raises
    shape = _shape(value)
    if shape == ():
        return "gradient" if kind == "jacobian" else kind
    if kind == "jacobian":
        return kind
    what = "several arrays" if shape is None else f"an array of shape {shape}"
    right = f"{function}_jac, or a mark by @handgrad.jacobian_of, would say that it is a Jacobian"
    return NotJudged(
        title, f"{function} returns {what}, and {TITLES[kind]} is of one number; {right}"
    )


def ambiguous(found: Named, name: str, title: str) -> NotJudged:
    """Say that a derivative may be that of several functions."""
    marks = "gradient_of or @handgrad.jacobian_of"
    marks = marks if found.kind == "jacobian" else f"{found.kind}_of"
    functions = " and ".join(found.functions)
    return NotJudged(title, f"{functions} are beside {name}; @handgrad.{marks} would say of which")


def value_of(function: Any, point: tuple[Any, ...]) -> Any:
    """Return what a function returns at an example, on JAX's arrays if it needs these; or None."""
    import copy

    import jax

    from handgrad.data.pytrees import split, wide
    from handgrad.judging.pytorch.random import drawn_numbers_kept

    # The check tells what the caller's code raises.
    with drawn_numbers_kept(), best_effort():
        return function(*copy.deepcopy(point))
    with best_effort():
        real, together = split(point)
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
