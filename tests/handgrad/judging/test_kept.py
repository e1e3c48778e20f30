"""What a caller's functions keep is left as they have it."""

import logging
from enum import EnumType

import pytest

from handgrad import check_gradient
from tests.corpus.case import anew
from tests.corpus.rows.kept import LOGGER, LOSSES, Mode, X, with_objects


@pytest.mark.parametrize("name", LOSSES)
def test_no_numbers_of_the_judges_are_left_behind(name: str) -> None:
    loss = anew(LOSSES[name])
    assert check_gradient(lambda x: 2 * x, loss, X, points=2)
    assert type(loss(X)) is float


def test_objects_of_the_caller_are_not_changed() -> None:
    assert check_gradient(lambda x: 2 * x, with_objects, X, points=0)
    assert (type(LOGGER), type(Mode), Mode.PLAIN.name) == (logging.Logger, EnumType, "PLAIN")
