"""A mistake is planted where its line is and nowhere else, or the planter says so."""

import sys
from functools import partial
from types import FunctionType
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from models.edits import changed, edited
from models.model import of_loss


def scale(x: float) -> float:
    y = 2 * x
    return y + 1


def twice(x: float, times: float) -> float:
    return scale(scale(x)) * times


def test_a_line_is_changed_where_it_is_and_nowhere_else() -> None:
    assert edited(scale, ("2 * x", "3 * x"))(5.0) == 16
    assert edited(scale, ("y = 2 * x", "z = 4 * x\ny = z"))(5.0) == 21
    assert edited(scale, "z = 4 * x\ny = z")(5.0) == 21
    assert edited(scale, "y = 3 * x", "if y == 15:\n    return y - 1")(5.0) == 14
    assert scale(5.0) == 11


def shares(x: float) -> float:
    half, rest = x / 2, x % 2
    return half + rest


def test_a_line_for_one_of_several_names_comes_after_them() -> None:
    assert edited(shares, "rest = 10 * half")(6.0) == 33


def test_a_line_of_a_function_that_is_called_is_changed_for_this_caller_alone() -> None:
    wrong = edited(partial(twice, times=1.0), ("2 * x", "3 * x"), ("* times", "* times + 0.5"))
    assert (wrong(1.0), twice(1.0, 1.0)) == (13.5, 7)
    assert edited(partial(twice, times=1.0), {"scale": ("+ 1", "- 1"), "other": ("", "")})(3) == 9


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (("3 * x", ""), "has 0 places"),
        (("scale(", "scale(-"), "has 3 places"),
        ("x = 3 * x", "has 0 places"),
        ("return 2 * x", "has 2 places"),
        ({"scale": ("3 * x", "")}, "has 0 places"),
        ({"other": ("2 * x", "")}, r"\['other'\] among what is called: \['scale', 'twice'\]"),
    ],
)
def test_a_mistake_that_is_none_is_refused(edit: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        of_loss("m", twice, twice, lambda rng: (rng.normal(),), {"slug": edit}).wrong("slug")


def test_text_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="has 2 places"):
        changed("y = x + x", ("x", "z"))


def helper(x: Any) -> Any:
    return np.exp(x)


def gradient(x: Any) -> Any:
    return helper(np.sqrt(x))


def test_a_name_that_means_two_things_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions are compiled together, so one of them would get the other's."""
    elsewhere = FunctionType(helper.__code__, {"np": jnp, "__name__": __name__})
    monkeypatch.setattr(sys.modules[__name__], "helper", elsewhere)
    with pytest.raises(ValueError, match="np is another thing"):
        edited(gradient, ("np.sqrt", "np.cbrt"))
