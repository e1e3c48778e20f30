"""An activation nobody has, added from outside as CONTRIBUTING says, works everywhere."""

import json
from typing import Any

import pytest

import autodiff.network
import manual.activations
from compare import reference
from tests.compare.calls import compare

pytestmark = pytest.mark.slow

PASS = ("--network", "2-3-1", "--activation", "cubic", "--x", "1.5,-0.5", "--y", "1")


@pytest.fixture(autouse=True)
def cubic(monkeypatch: pytest.MonkeyPatch) -> None:
    """a = z³, with an entry in every table that CONTRIBUTING names."""
    pair = manual.activations.Activation(
        forward=lambda z: (z * z * z, z), backward=lambda da, z: da * (3 * z * z)
    )
    monkeypatch.setitem(manual.activations.ACTIVATIONS, "cubic", pair)
    monkeypatch.setitem(autodiff.network.ACTIVATIONS, "cubic", lambda z: z**3)
    for form in reference.ACTIVATIONS.values():
        monkeypatch.setitem(form, "cubic", lambda z: z**3)


def wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    """dz = da 2z², a slip of the pen."""
    right = manual.activations.ACTIVATIONS["cubic"]
    wrong = right._replace(backward=lambda da, z: da * (2 * z * z))
    monkeypatch.setitem(manual.activations.ACTIVATIONS, "cubic", wrong)


def verdict(*words: Any) -> Any:
    return json.loads(compare(*words, "--json").out)["verdict"]


COMMANDS = [
    ("train", "--data", "davis", "--activation", "cubic", "--epochs", 1),
    ("sweep", "--cases", 500, "--network", "1-1-1", "--activation", "cubic", "--examples", 1),
    ("prove", "--network", "1-1-1", "--activation", "cubic"),
    ("explain", "dw0[1,2]", *PASS),
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_it_is_found_right_and_a_slip_in_it_wrong(
    words: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verdict(*words) in ("agree", "proved")
    wrongly(monkeypatch)
    assert verdict(*words) in ("disagree", "refuted")
