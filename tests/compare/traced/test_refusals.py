"""What `compare explain` says of bad input: one line, with what was found and expected."""

import json
import os
from pathlib import Path

import pytest

from compare.agreement import NAMES
from tests.compare.networks.calls import compare


def test_a_file_that_is_no_file_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in ("/dev/zero", str(pipe)):
        refused = compare("explain", "w1", "--params", path).err
        assert refused == (
            f"Error: {path}: no regular file; expected a JSON file with parameters.\n"
        )
    large = tmp_path / "large.json"
    large.write_text(" " * 1_000_001)
    assert "more than 1000000 bytes" in compare("explain", "w1", "--params", str(large)).err


REFUSED = {
    ("w7",): "'w7'; expected one of w1, w2, w3, w4, w5, w6, b1, b2, b3, or another quantity of "
    "the pass, as `compare step` shows them, ∂ written as d.",
    ("w1", "--x", "1"): "no --y; expected --x with 2 numbers and --y with 1 number.",
    ("w1", "--x", "1,2,3", "--y", "1"): "--x has 3 numbers; expected 2.",
    ("w1", "--x", "1,b", "--y", "1"): "Invalid value for '--x': 'b'; expected finite numbers with "
    "commas between them, such as 1,-2.5.",
    ("w1", "--person", "bob", "--x", "1,2", "--y", "1"): "--person beside --x and --y; expected "
    "one without the other.",
    ("w1", "--activation", "tanh"): "--activation beside the article's network; expected one "
    "without the other.",
    ("w1", "--network", "9-20-9"): "network 9-20-9 has 389 parameters; expected at most 200.",
    ("w1", "--network", "2-2-1", "--loss", "bce", "--output", "tanh"): "output: got 'tanh', "
    "expected identity: bce is on logits.",
    ("w1", "--network", "2-2-2", "--person", "bob"): "--person beside a network with 2 numbers in "
    "and 2 numbers out; expected one without the other.",
    ("w1", "--init", "ones", "--seed", "7"): "--seed beside --init ones; expected one without the "
    "other.",
    ("w1", "--network", "1-2", "--init", "ones"): "--init beside --network, or a file with layers; "
    "expected one without the other.",
    ("w1", "--network", "1-2", "--loss", "bce", "--x", "1", "--y", "0,5"): "--y 0,5; expected "
    "numbers from 0 to 1 for bce.",
    ("w1", "--params", "/nowhere.json"): "/nowhere.json: No such file or directory; expected a "
    "JSON file with parameters.",
    ("w1", "--model", "/nowhere.npz"): "/nowhere.npz: No such file or directory; expected a model "
    "file.",
    ("w1", "--x", "1e308,1e308", "--y", "1"): "z1 is inf at this point; expected inputs and "
    "parameters with which every number of the pass is finite.",
}


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_bad_input_gets_one_line(words: tuple[str, ...]) -> None:
    ended = compare("explain", *words)
    assert (ended.code, ended.out, ended.err) == (2, "", f"Error: {REFUSED[words]}\n")


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
    "\xff": "no JSON; expected a JSON file",
    '{"w1": 1, "w1": 2}': "w1 twice; expected it once",
    '{"layers": [{"w": [[1]], "b": [1]}], "loss": ["mse"]}': 'loss is ["mse"]; expected `str`',
    '{"layers": [{"w": [[1]], "b": [1]}], "l2": true}': "l2 is true; expected `float`, got `bool`",
    '{"layers": [{"w": [[1]], "b": [1]}], "l2": -1}': "l2: got -1.0, expected a finite number",
}


@pytest.mark.parametrize("content", FILES)
def test_a_mistake_in_a_file_of_parameters_is_named(content: str, tmp_path: Path) -> None:
    file = tmp_path / "params.json"
    file.write_bytes(content.encode("latin-1"))
    ended = compare("explain", "w1", "--params", str(file), "--x", "1", "--y", "1")
    assert (ended.code, ended.out) == (2, "")
    assert FILES[content] in ended.err
    assert ended.err.count("\n") == 1
