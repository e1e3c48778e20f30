"""Whose a frame is, and how it is quoted."""

import json
import sys
from pathlib import Path

import pytest

import handgrad
from handgrad.data.frames import MOST_FRAMES, frames_of, is_own, own_frames, quoted


@pytest.mark.parametrize(
    ("file", "own"),
    [
        (__file__, True),
        ("/somewhere/mine.py", True),
        ("/venv/lib/python3.13/site-packages/numpy/linalg.py", False),
        (json.__file__, False),
        (str(Path(str(handgrad.__file__)).parent / "check.py"), False),
        ("<frozen importlib._bootstrap>", False),
    ],
)
def test_whose_a_file_is(file: str, own: bool) -> None:
    assert is_own(file) == own


def test_what_is_asked_for_by_name_is_its_owners_wherever_it_is() -> None:
    package = Path("/venv/site-packages/theirs")
    assert is_own(str(package / "model.py"), [package])
    assert not is_own("/venv/site-packages/theirs2/model.py", [package])


def fall(depth: int) -> None:
    if depth:
        fall(depth - 1)
    json.loads("{")


def test_own_frames_and_how_they_are_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "tracebacklimit", 1, raising=False)
    with pytest.raises(ValueError, match="Expecting") as error:
        fall(1)
    traceback = error.value.__traceback__
    own = own_frames(traceback)
    assert [place.name for _, place in own] == [
        "test_own_frames_and_how_they_are_quoted",
        "fall",
        "fall",
    ]
    assert [place.name for _, place in frames_of(traceback)][-1] != "fall"
    assert all(frame.f_code.co_name == place.name for frame, place in own)
    line = fall.__code__.co_firstlineno + 3
    assert quoted([own[-1][1]]) == [
        f'  File "tests/handgrad/test_frames.py", line {line}, in fall',
        '    json.loads("{")',
    ]


def test_of_many_frames_the_last_are_quoted() -> None:
    with pytest.raises(ValueError, match="Expecting") as error:
        fall(50)
    lines = quoted([place for _, place in own_frames(error.value.__traceback__)])
    assert lines[0] == "  ..."
    assert len(lines) == 1 + 2 * MOST_FRAMES
    assert lines[-1] == '    json.loads("{")'
