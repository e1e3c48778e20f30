"""All cases by their names: the rows of `tests.corpus.rows`, and models with their mistakes."""

import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Any

import jax
import numpy as np

from models import checkers, held_out, zoo
from models.model import Model
from tests.corpus import rows
from tests.corpus.case import Case

#: The models that are cases, with their mistakes.
MODELS = {
    f"{of.__name__.removeprefix('models.')}: {model.name}": model
    for of in (checkers, zoo, held_out)
    for model in of.MODELS
}

#: Mistakes that are too small for differences.
SMALL = ("one-element-off", "small-elements-zeroed", "sign-of-smallest")


@cache
def all_cases() -> dict[str, Case]:
    """Return every case by its name."""
    named: dict[str, Case] = {}
    for module in pkgutil.iter_modules(rows.__path__):
        for case in import_module(f"{rows.__name__}.{module.name}").CASES:
            assert case.name not in named, f"{case.name} stands twice"
            named[case.name] = case
    for name, model in MODELS.items():
        at = model.point(np.random.default_rng(1))
        named |= {case.name: case for case in of_model(name, model, at)}
    return named


def of_model(name: str, model: Model, at: tuple[Any, ...]) -> Iterator[Case]:
    """Yield the right gradient of a model at a point, and its mistakes."""
    # At a tie any of two slopes is right.
    tie = "relu-at-zero" in model.mistakes
    of = "gradient", model.function, at, model.by_hand, {"points": 0}
    right = Case(f"{name}: right", *of, tie=tie)
    right = replace(right, compiled=jax.jit(model.function))
    yield right
    for slug, slip in model.mistakes.items():
        yield replace(
            right,
            name=f"{name}: {slug}",
            answer=model.wrong(slug),
            kinds=slip.kinds,
            verdict="disagree" if slug in SMALL else None,
        )
