"""Every mistake of every collection can be planted, and no model is left out or there twice."""

import importlib
import pkgutil

import numpy as np
import pytest

import models
from manual.network import Network
from models import checkers, general_network, held_out, right_points, small, zoo
from models.model import Model

COLLECTIONS: dict[str, list[Model]] = {
    "checkers": [*checkers.MODELS, *(m for points in right_points.POINTS.values() for m in points)],
    "held out": held_out.MODELS,
    "zoo": zoo.MODELS,
    "small": [value for value in vars(small).values() if isinstance(value, Model)],
}
ALL = [model for collection in COLLECTIONS.values() for model in collection]


@pytest.mark.parametrize("model", [model for model in ALL if model.mistakes], ids=lambda m: m.name)
def test_every_mistake_finds_its_line(model: Model) -> None:
    for slug in model.mistakes:
        assert callable(model.wrong(slug))


def test_every_mistake_of_the_general_network_finds_its_line() -> None:
    for plant in (*general_network.PLANTS, general_network.AT_ZERO):
        assert callable(plant.gradient(Network((2, 2, 1))))


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_names_are_unique(collection: str) -> None:
    names = [model.name for model in COLLECTIONS[collection]]
    assert len(set(names)) == len(names)


def test_every_model_is_in_one_collection() -> None:
    modules = [
        importlib.import_module(f"models.{m.name}") for m in pkgutil.iter_modules(models.__path__)
    ]
    written = [
        model
        for module in modules
        for model in getattr(module, "MODELS", ())
        if isinstance(model, Model)
    ]
    assert {id(model) for model in written} <= {id(model) for model in ALL}
    assert len({id(model) for model in ALL}) == len(ALL)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_point_has_the_dtype_that_is_asked_for(dtype: type) -> None:
    (model,) = (model for model in zoo.MODELS if model.name == "tiny-1e-150")
    w, x, _ = model.point(np.random.default_rng(0), dtype)
    assert w.dtype == x.dtype == dtype
    # 1e-150 is 0 in float32.
    assert (x != 0).all()
