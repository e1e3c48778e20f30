"""The mistakes that people make, in models as they write them: named rightly, or not at all."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.judging.jax_loss import JaxLoss
from models import checkers, held_out
from models.mistakes import ACCEPTED
from models.model import Model
from tests.once import Once

#: Rows of the table of mistakes that are named in every model, of 28; as measured.
OF_SUBJECTS, OF_HELD_OUT = 24, 24

#: One of each sort: what the form of the answer, a factor and a link say.
QUICK = [("article-people", slug) for slug in ("bias-unsummed", "half-mse", "sigmoid-of-z")]


@pytest.fixture(scope="module", autouse=True)
def measured_once() -> Iterator[None]:
    """The exact gradient at a point, and what rounding may do there, whatever the answer is.

    All mistakes in a model share them; they are so small that no element is looked at first.
    """
    measured, found = JaxLoss.measured, {}

    def shared(of: JaxLoss, given: Any, suspects: Any = ()) -> Any:
        arrays = [np.asarray(leaf) for leaf in jax.tree.leaves((given.params, given.inputs))]
        point = tuple((array.shape, str(array.dtype), array.tobytes()) for array in arrays)
        key = of.case.loss, of.case.referee, of.case.seed, of.case.trusted, point
        if key not in found:
            found[key] = measured(of, given, suspects)
        return found[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JaxLoss, "measured", shared)
        yield


class Named(NamedTuple):
    """What was said of one mistake in one model."""

    model: str
    slug: str
    verdict: str
    kinds: frozenset[str]

    @property
    def row(self) -> str:
        """The row of the table; a slug may have a variant after a slash."""
        return self.slug.partition("/")[0]

    @property
    def accepted(self) -> bool:
        """Whether one of the kinds is among those of its row."""
        return not self.kinds.isdisjoint(ACCEPTED[self.row])

    @property
    def honest(self) -> bool:
        """Whether nothing is said that is not so."""
        return self.kinds <= {*ACCEPTED[self.row], "unknown"}


def named(subject: Model, slug: str) -> Named:
    point = subject.draw(np.random.default_rng(0))
    report = check_gradient(subject.wrong(slug), subject.loss, *point, points=2)
    kinds = {f.kind for f in report.findings} | {d.kind for d in report.diagnoses}
    return Named(subject.name, slug, report.verdict, frozenset(kinds))


def all_of(models: str, name: str, once: Once) -> list[Named]:
    """What is said of every mistake in a model; found once, for all tests below."""
    (subject,) = (s for s in MODELS[models] if s.name == name)
    found = once(
        f"diagnoses of {models}, {name}",
        lambda: [tuple(named(subject, slug)) for slug in subject.mistakes],
    )
    return [Named(*fields) for fields in found]


MODELS: Mapping[str, list[Model]] = {
    "subjects": checkers.MODELS,
    "held out": held_out.MODELS,
}


def rows_named_everywhere(models: str, once: Once) -> list[str]:
    """The rows that get an accepted kind in every model that has them."""
    found = [one for subject in MODELS[models] for one in all_of(models, subject.name, once)]
    return [slug for slug in ACCEPTED if all(one.accepted for one in found if one.row == slug)]


@pytest.mark.parametrize(("name", "slug"), QUICK)
def test_a_mistake_is_named(name: str, slug: str) -> None:
    (subject,) = (s for s in checkers.MODELS if s.name == name)
    told = named(subject, slug)
    assert told.accepted, told
    assert told.honest, told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("models", "name"),
    [(models, s.name) for models, subjects in MODELS.items() for s in subjects],
)
def test_nothing_is_called_what_it_is_not(models: str, name: str, once: Once) -> None:
    told = all_of(models, name, once)
    assert [one for one in told if not one.honest] == []
    # At a tie of relu either convention is right.
    passed = [one for one in told if one.verdict != "disagree" and one.row != "relu-at-zero"]
    assert passed == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("models", "least"), [("subjects", OF_SUBJECTS), ("held out", OF_HELD_OUT)]
)
def test_most_rows_are_named_in_every_model(models: str, least: int, once: Once) -> None:
    """As measured; who makes the diagnosis better may raise the number, and none may lower it."""
    rows = rows_named_everywhere(models, once)
    assert len(rows) >= least, sorted(set(ACCEPTED) - set(rows))
