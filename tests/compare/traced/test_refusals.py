"""What `compare explain` says of bad input: one line, with what was found and expected."""

import json
from pathlib import Path

import pytest

from compare.agreement import NAMES
from tests.compare.networks.calls import compare


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.json"
    large.write_text(" " * 1_000_001)
    assert "more than 1000000 bytes" in compare("explain", "w1", "--params", str(large)).err


FILES = {
    "[1]": "is [1]; expected `object`, got `array` (expected w1, w2",
    "{": "line 1, column 2: Expecting property name",
    '{"w1": 1}': "object missing required field `w2` (expected w1, w2",
    '{"w1": "x"}': 'w1 is "x"; expected `float`, got `str`',
    json.dumps(dict.fromkeys(NAMES, 1) | {"w3": "a"}): 'w3 is "a"; expected `float`, got `str`',
    json.dumps(dict.fromkeys(NAMES, 1) | {"w3": True}): "w3 is true; expected `float`, got `bool`",
    json.dumps(dict.fromkeys(NAMES, 1) | {"q": 1}): "contains unknown field `q` (expected w1",
    '{"w1": 1e999, "w2":1,"w3":1,"w4":1,"w5":1,"w6":1,"b1":1,"b2":1,"b3":1}': "w1 is "
    "Infinity; expected `float` <= 1.79",
    '{"layers": []}': "layers is []; expected `array` of length >= 1",
    '{"layers": [{"w": [[1]]}]}': "layers[0]: object missing required field `b`",
    '{"layers": [{"w": [[1, 2]], "b": [1]}]}': "layers[0].w; expected a row for each input",
    '{"layers": [{"w": [[1]], "b": [1]}, {"w": [[1], [2]], "b": [1]}]}': "layers[1].w has 2 rows; "
    "expected 1, one for each unit",
    '{"layers": [{"w": [[1]], "b": [1]}], "loss": "mae"}': "loss: got 'mae', expected one of",
    '{"layers": [{"w": [[1]], "b": [1]}], "los": "mse"}': "object contains unknown field `los`",
    '{"w1": "\\ud800"}': r"has '\ud800', half of a character; expected whole ones",
    '{"w1": 1, "\\u001b[2J": 1}': r"contains unknown field `\x1b[2J`",
    "\xff": "no JSON; expected a JSON file",
    '{"w1": 1, "w1": 2}': "w1 twice; expected it once",
    '{"layers": [{"w": [[1]], "b": [1]}], "loss": ["mse"]}': 'loss is ["mse"]; expected `str`',
    '{"layers": [{"w": [[1]], "b": [1]}], "l2": true}': "l2 is true; expected `float`, got `bool`",
    '{"layers": [{"w": [[1]], "b": [1]}], "l2": -1}': "l2: got -1.0, expected a finite number",
}


def test_a_number_whose_range_would_overflow_is_refused() -> None:
    """It was computed, and called a disagreement."""
    ended = compare("step", "--x=-2,1.7976931348623157e308", "--y", "1")
    assert (ended.code, ended.out) == (2, "")
    assert "every number of the pass is at most 9.0e+307" in ended.err


@pytest.mark.parametrize("content", FILES)
def test_a_mistake_in_a_file_of_parameters_is_named(content: str, tmp_path: Path) -> None:
    file = tmp_path / "params.json"
    file.write_bytes(content.encode("latin-1"))
    ended = compare("explain", "w1", "--params", str(file), "--x", "1", "--y", "1")
    assert (ended.code, ended.out) == (2, "")
    assert FILES[content] in ended.err
    assert ended.err.count("\n") == 1
