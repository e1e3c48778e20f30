"""What is put in a function's place is taken away again."""

from types import ModuleType
from typing import Any

import pytest

from handgrad.steps.rebound import NowhereError, rebound


def doubled(x: Any) -> Any:
    return 2 * x


def test_every_name_leads_to_the_function_again_after_an_error() -> None:
    elsewhere = ModuleType("elsewhere")
    exec("", elsewhere.__dict__)
    vars(elsewhere)["imported"] = here = doubled

    def enclosed() -> Any:
        return here(1)

    def everywhere() -> list[Any]:
        return [doubled(1), vars(elsewhere)["imported"](1), enclosed()]

    def raises() -> None:
        assert everywhere() == [-1, -1, -1]
        raise RuntimeError

    with pytest.raises(RuntimeError), rebound([(doubled, lambda _: -1)]):
        raises()
    assert everywhere() == [2, 2, 2]


def test_a_function_without_a_name_is_not_replaced() -> None:
    kept = [lambda: 1]
    with pytest.raises(NowhereError, match="no name leads to it"), rebound([(kept[0], doubled)]):
        pass
