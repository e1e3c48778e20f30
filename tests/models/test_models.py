"""Every model is what it says: a right gradient of the right form, and mistakes that are mistakes.

What the judge says of them is in tests/test_corpus.py.
"""

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest

import models
from models import checkers, held_out, right_points, sized, small, zoo
from models.edits import Gradient
from models.mistakes import ACCEPTED
from models.model import Model
from tests.tiers import one_of_each

COLLECTIONS: dict[str, list[Model]] = {
    "checkers": checkers.MODELS,
    "right points": [model for points in right_points.POINTS.values() for model in points],
    "held out": held_out.MODELS,
    "sized": sized.MODELS,
    "zoo": zoo.MODELS,
    "small": [value for value in vars(small).values() if isinstance(value, Model)],
}
ALL = [model for collection in COLLECTIONS.values() for model in collection]


class Claim(NamedTuple):
    """What a collection claims of its models, at `draws` points; gaps are relative."""

    dtypes: tuple[type, ...]
    same: float  #: how close to autodiff the right gradient is
    wrong: float  #: how far from it a mistake is
    share: float  #: at more than this share of the points


#: In the zoo JAX's own gradient loses all digits in some tails, or is not finite, and its smallest
#: mistake is planted at a millionth. Among the others both sides round about a hundred times, on
#: values of order one that cancel by two digits at most, and every mistake is far beyond.
CLAIMS = {
    "checkers": Claim((np.float64,), 1e-12, 1e-6, 0.99),
    "zoo": Claim((np.float64, np.float32), 1e-9, 1e-7, 0.5),
    "sized": Claim((np.float64,), 1e-12, 1e-6, 0.99),
    "held out": Claim((np.float64,), 1e-12, 1e-6, 0.99),
}
CLAIMED = {
    f"{name}: {m.name}": (m, claim) for name, claim in CLAIMS.items() for m in COLLECTIONS[name]
}
DRAWS = 5


def named(value: Any) -> str:
    """What a model or a slug is called among the tests' parameters."""
    return getattr(value, "name", str(value))


#: Their gradients are written in JAX, which compiles every line by itself.
IN_JAX = ("zoo: ackley", "zoo: tanh-tail", "zoo: logarithmic-barrier")
every = pytest.mark.parametrize("name", one_of_each(CLAIMED, set(CLAIMED) - set(IN_JAX)))


@pytest.fixture(autouse=True)
def wide() -> Iterator[None]:
    """Some gradients of the zoo are written in JAX."""
    with jax.enable_x64(True):
        yield


def row(slug: str) -> str:
    """A slug without its variant."""
    return slug.partition("/")[0]


def draws(model: Model, dtype: Any = np.float64) -> list[Any]:
    rng = np.random.default_rng(17)
    return [model.point(rng, dtype) for _ in range(DRAWS)]


def copied(tree: Any) -> Any:
    return jax.tree.map(np.array, tree)


def form(tree: Any) -> Any:
    leaves, structure = jax.tree.flatten(tree)
    return structure, [(np.shape(leaf), np.asarray(leaf).dtype) for leaf in leaves]


def answer(gradient: Gradient, case: Any) -> Any:
    """Copied both ways: what a gradient does to its arguments or returned arrays stays with it."""
    return copied(gradient(*copied(case)))


def gap(a: Any, b: Any) -> float:
    """The largest distance over leaves, relative to the leaf's largest element on either side."""
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    sizes = [(np.max(abs(x - y)), np.max([abs(x), abs(y)]) or 1.0) for x, y in pairs if np.size(x)]
    return max(float(apart / size) for apart, size in sizes)


def farthest(a: Any, b: Any) -> float:
    """The largest distance over elements, each relative to the larger of the two."""
    x, y = (np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(t)]) for t in (a, b))
    size = np.maximum(abs(x), abs(y))
    return float(np.max(abs(x - y) / np.where(size > 0, size, 1)))


def test_the_collections_are_large_enough() -> None:
    planted = Counter(slug for model in checkers.MODELS for slug in model.mistakes)
    assert {slug: planted[slug] for slug in ACCEPTED if planted[slug] < 6} == {}
    assert len(zoo.MODELS) >= 30
    assert all(len(model.mistakes) >= 3 for model in zoo.MODELS)
    planted = [{row(slug) for slug in model.mistakes} for model in held_out.MODELS]
    assert set().union(*planted) == set(ACCEPTED)
    assert [slug for slug in ACCEPTED if sum(slug in model for model in planted) < 2] == []
    assert (len(planted), min(map(len, planted)) >= 15) == (5, True)


@every
def test_a_gradient_has_the_form_of_its_parameters(name: str) -> None:
    model, claim = CLAIMED[name]
    for dtype in claim.dtypes:
        for case in draws(model, dtype)[:2]:
            before = copied(case)
            right = model.by_hand(*case)
            assert form(right) == form(case[0])
            assert {np.asarray(leaf).dtype for leaf in jax.tree.leaves(right)} == {np.dtype(dtype)}
            assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(right))
            jax.tree.map(np.testing.assert_array_equal, right, model.by_hand(*case))
            jax.tree.map(np.testing.assert_array_equal, case, before)


@pytest.mark.slow
@every
def test_a_mistake_is_one_at_most_points(name: str) -> None:
    model, claim = CLAIMED[name]
    cases = draws(model)
    rights = [answer(model.by_hand, case) for case in cases]
    for slug in model.mistakes:
        wrong = model.wrong(slug)
        planted = [answer(wrong, case) for case in cases]
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(planted)), slug
        if form(planted[0]) != form(rights[0]):
            assert "shape" in ACCEPTED[row(slug)], slug
            assert form(planted[0])[0] == form(rights[0])[0], slug
        elif row(slug) != "accumulates":
            caught = [farthest(*pair) > claim.wrong for pair in zip(planted, rights, strict=True)]
            assert np.mean(caught) > claim.share, slug


@pytest.mark.parametrize(
    ("model", "slug"),
    [(m, s) for m, _ in CLAIMED.values() for s in m.mistakes if row(s) == "accumulates"],
    ids=named,
)
def test_what_accumulates_is_wrong_at_the_second_call(model: Model, slug: str) -> None:
    arguments = copied(draws(model)[0])
    wrong = model.wrong(slug)
    first = copied(wrong(*arguments))
    assert gap(first, answer(model.by_hand, draws(model)[0])) < 1e-12
    assert gap(wrong(*arguments), first) > 1e-6


@pytest.mark.parametrize(
    "model",
    [m for m in checkers.MODELS + held_out.MODELS if "relu-at-zero" in m.mistakes],
    ids=named,
)
def test_the_other_convention_differs_at_the_tie_alone(model: Model) -> None:
    other, rng = model.wrong("relu-at-zero"), np.random.default_rng(6)
    for params, *inputs in draws(model):
        assert gap(other(params, *inputs), model.by_hand(params, *inputs)) > 1e-6
        moved = jax.tree.map(lambda leaf: leaf + 0.01 * rng.normal(size=np.shape(leaf)), params)
        assert gap(other(moved, *inputs), model.by_hand(moved, *inputs)) == 0


@pytest.mark.slow
@pytest.mark.parametrize("model", held_out.MODELS, ids=named)
def test_mistakes_that_no_kind_unites_are_different(model: Model) -> None:
    """Else one of the two would be named wrongly."""
    case = draws(model)[0]
    slugs = [slug for slug in model.mistakes if row(slug) != "accumulates"]
    answers = {slug: answer(model.wrong(slug), case) for slug in slugs}
    for slug, one in answers.items():
        for other, another in answers.items():
            united = set(ACCEPTED[row(slug)]) & set(ACCEPTED[row(other)])
            if not united and form(one) == form(another):
                assert gap(one, another) > 1e-6, (slug, other)


@pytest.mark.by_day(40)
@pytest.mark.parametrize("name", one_of_each(CLAIMED, ["checkers: article-people"]))
def test_the_right_gradient_is_right(name: str) -> None:
    model, claim = CLAIMED[name]
    hurry = {"xla_backend_optimization_level": 0}
    for dtype in claim.dtypes:
        loss = jax.eval_shape(model.function, *draws(model, dtype)[0])
        assert (loss.shape, loss.dtype) == ((), dtype)
    by_jax = jax.jit(jax.grad(model.function), compiler_options=hurry)
    apart = [gap(model.by_hand(*case), by_jax(*case)) for case in draws(model)]
    assert np.mean([each < claim.same for each in apart]) > claim.share


def test_every_model_is_in_one_collection_under_a_name_of_its_own() -> None:
    names = [module.name for module in pkgutil.iter_modules(models.__path__)]
    modules = [importlib.import_module(f"models.{name}") for name in names]
    found = [model for module in modules for model in getattr(module, "MODELS", ())]
    assert {id(m) for m in found if isinstance(m, Model)} <= {id(model) for model in ALL}
    assert len({id(model) for model in ALL}) == len(ALL)
    for collection in COLLECTIONS.values():
        assert len({model.name for model in collection}) == len(collection)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_point_has_the_dtype_that_is_asked_for(dtype: type) -> None:
    (model,) = (model for model in zoo.MODELS if model.name == "tiny-1e-150")
    w, x, _ = model.point(np.random.default_rng(0), dtype)
    assert w.dtype == x.dtype == dtype
    # 1e-150 is 0 in float32.
    assert (x != 0).all()
