"""Bad input on the command line gets one line, with what was found and what was expected."""

from pathlib import Path

import pytest

from tests.compare.calls import refused

#: What is refused, and part of the line that says so.
OTHERS = {
    "run --epochs -5": "'-5'; expected a whole number from 0 to 1e6",
    "run --epochs many": "'many'; expected a whole number",
    "run --seed -1": "'-1'; expected a whole number from 0 to 4294967295",
    f"run --epochs {'9' * 400}": "expected a whole number from 0 to 1e6",
    "run --learning-rate nan": "'nan'; expected a finite number above 0",
    "run --learning-rate 0": "'0'; expected a finite number above 0",
    "run --learning-rate 1e200": "learning rate 1e+200 is too large, expected one around 0.1",
    "run --person bbo": "'bbo'; expected one of alice, bob, charlie, diana. Did you mean 'bob'?",
    "run --init random": "'random'; expected one of normal, ones",
    "run --sigmoid-derivative stabel": "Did you mean 'stable'?",
    "run --plot loss.pdf": "'loss.pdf'; expected a file that ends in .svg or .png",
    "run --plot no/such/place.svg": "there is no directory 'no/such'",
    "run --plto x": "No such option '--plto'. Did you mean '--plot'?",
    "run extra": "unexpected extra argument",
    "prove w1": "Got unexpected extra argument (w1). See python -m compare prove --help.",
    "regress --y foo": "No such option '--y'. See python -m compare regress --help.",
    "plot --out X": "No such option '--out'. See python -m compare plot --help.",
    "plot nonsense": "No such command 'nonsense'. See python -m compare plot --help.",
    "explain w1 --x": "Option '--x' requires an argument.",
    "rnu": "No such command 'rnu'. Did you mean 'run'?",
    "run --weight 128": "no --height; expected --weight and --height, or neither.",
    "run --units metric": "no --weight; expected --weight and --height, or neither.",
    "run --weight nan --height 63": "'nan'; expected a number above 0, at most 10000",
    "run --weight 128 --height 63 --units stone": "expected one of imperial, metric",
    "regress absent.csv": "absent.csv: no such file; expected a CSV file or one of article, bdims",
    "regress --steps 0": "'0'; expected a whole number from 1 to 100000",
    "regress --target hgt": "no column 'hgt' (did you mean 'height'?); expected one of height",
    "regress bdims --learning-rate 5": "too large for this table",
    "plot exam": "Missing argument 'FILE'",
    "plot exma x.svg": "No such command 'exma'. Did you mean 'exam'?",
    "plot exam \u202ex.pdf": r"'\u202ex.pdf'; expected a file that ends in .svg or .png",
    "plot surface x.svg --x w1 --y w1": "expected two different parameters",
    "plot surface x.svg --learning-rate 1e200": "learning rate 1e+200 is too large",
    "plot surface x.svg --x w7": "'w7'; expected one of w1",
    "plot residuals x.svg --table absent.csv": "absent.csv: no such file",
    "errata 23": "Invalid value for '[NUMBER]': '23'; expected a whole number from 1 to 22.",
    "errata 0": "'0'; expected a whole number from 1 to 22.",
    "break half-msee": "SLUG: 'half-msee', no such mistake (did you mean 'half-mse'?); expected "
    "one of those that `python -m compare break` lists.",
    "break nothing\x1b[2J": r"SLUG: 'nothing\x1b[2J', no such mistake;",
    "break half-mse --learning-rate 1e200 --epochs 2": "learning rate 1e+200 is too large",
}

EXPLAIN = {
    "w7": "'w7'; expected one of w1, w2, w3, w4, w5, w6, b1, b2, b3, or another quantity of "
    "the pass, such as L, ∂ written as d.",
    "w1 --x 1": "no --y; expected --x with 2 numbers and --y with 1 number.",
    "w1 --x 1,2,3 --y 1": "--x has 3 numbers; expected 2.",
    "w1 --x 1,b --y 1": "Invalid value for '--x': 'b'; expected finite numbers with "
    "commas between them, such as 1,-2.5.",
    "w1 --person bob --x 1,2 --y 1": "--person beside --x and --y; expected one without the other.",
    "w1 --activation tanh": "--activation beside the article's network; expected one "
    "without the other.",
    "w1 --network 9-20-9": "network 9-20-9 has 389 parameters; expected at most 200.",
    "w1 --network 2-2-1 --loss bce --output tanh": "output: got 'tanh', "
    "expected identity: bce is on logits.",
    "w1 --network 2-2-2 --person bob": "--person beside a network with 2 numbers in "
    "and 2 numbers out; expected one without the other.",
    "w1 --init ones --seed 7": "--seed beside --init ones; expected one without the other.",
    "w1 --network 1-2 --init ones": "--init beside --network; expected one without the other.",
    "w1 --network 1-2 --loss bce --x 1 --y 0,5": "--y 0,5; expected numbers from 0 to 1 for bce.",
    "w1 --x 1e308,1e308 --y 1": "z1 is inf at this point; expected inputs and "
    "parameters with which every number of the pass is finite.",
}

PROVE = {
    "--network 2-2-1 --activation gelu": "gelu is not attempted: its lines hold √½ and √π rounded",
    "--network 50-50-1": "not attempted: too large: 50-50-1 has 2500 paths from inputs to outputs, "
    "with 1 example; expected at most 200 in all",
    "--network 3-3-2 --loss huber --examples 16": "'16'; expected one of 1, 2, 4",
    "--network two": "'two'; expected numbers of units such as 2-8-1",
    "--loss softmax-ce": "sizes: got 1 output, expected one for each class with softmax-ce",
    "--examples 3": "'3'; expected one of 1, 2, 4",
    "--plant missing-sqare": "'missing-sqare', no such mistake (did you mean 'missing-square'?)",
    "--plant ascends": "--plant ascends: a mistake of the training loop, around a right gradient",
    "--plant half-mse --network 3-3-2": "--plant beside a network of another kind; expected the",
    "--sigmoid-derivative article --l2 1": "--sigmoid-derivative beside a network of another kind",
}

SWEEP = {
    "--cases 0": "expected a whole number from 1 to 1e15",
    "--case 3 --cases 10": "--cases beside --case; expected one of them.",
    "--case 3 --distributed": "--distributed beside --case; expected one of them.",
    "--cases 1.5": "expected a whole number from 1 to 1e15",
    "--weights uniform": "--weights 'uniform'; expected uniform:SIZE or spread:LOW:HIGH",
    "--inputs uniform:1e31": "--inputs: got uniform:1e+31, expected sizes from 1e-30 to 1e+30",
    "--weights uniform:1e5 --dtype float32": "expected sizes from 0.0001 to 10000 in float32",
    "--network 40-40-10": "a case has 2,150 numbers; expected at most 2,000",
    "--plant half-msee": "no such mistake (did you mean 'half-mse'?)",
    "--plant update-before-use": "a mistake of the training loop, around a right gradient",
    "--plant half-mse --network 3-3-1": "planted in the article's network; expected no other",
    "--sigmoid-derivative article --network 3-3-1": "beside another network than the article's",
    "--loss bce --output sigmoid": "expected identity",
    "--dtype float16": "expected one of float32, float64",
}

TRAIN = {
    "": "Missing option '--data'",
    "--data irsi": "irsi",
    "--data absent.csv": "absent.csv",
    "--data iris --activation sigmod": "'sigmod'; expected one of sigmoid, tanh, relu",
    "--data iris --optimiser adma": "Did you mean 'adam'?",
    "--data iris --loss hubr": "Did you mean 'huber'?",
    "--data iris --by foot": "'foot'; expected one of hand, autodiff, both",
    "--data iris --dtype float16": "'float16'; expected one of float32, float64",
    "--data iris --network 3-7-3": "network 3-7-3 has 3 inputs; expected 4, one for each feature",
    "--data iris --network 4-7-2": "network 4-7-2 has 2 outputs; expected 3 for the 3 classes",
    "--data iris --network 4": "'4'; expected numbers of units such as 2-8-1",
    "--data iris --network 4-99999999-3": "expected at most 30000000 parameters",
    "--data diabetes --loss bce": "loss bce is for classes; expected mse or huber",
    "--data diabetes --network 10-8-2": "network 10-8-2 has 2 outputs; expected 1",
    "--data breast-cancer --network 30-4-1 --loss softmax-ce": "got 1 output, expected one for",
    "--data breast-cancer --network 30-4-3": "has 3 outputs; expected 2 for the 2 classes",
    "--data iris --batch 0": "'0'; expected a whole number from 1 to 1e9",
    "--data iris --epochs -1": "'-1'; expected a whole number from 0 to 1e6",
    "--data iris --seed -1": "'-1'; expected a whole number from 0",
    "--data iris --test 0.6": "'0.6'; expected a number above 0, at most 0.5",
    "--data iris --l2 -1": "'-1'; expected a number from 0 to 1000",
    "--data iris --learning-rate 0": "'0'; expected a finite number above 0",
    "--data iris --out model.txt": "'model.txt'; expected a file that ends in .npz",
    "--data iris --out nowhere/model.npz": "there is no directory 'nowhere'",
    "--data iris --plot loss.pdf": "expected a file that ends in .svg or .png",
    "--data iris --plot nowhere/a.svg": "there is no directory 'nowhere'",
    "--data iris --feature petal": "petal",
    "--data iris --target width": "target 'width'; expected",
    "--data iris --by hand --loss mse --optimiser sgd --activation identity --output identity "
    "--learning-rate 1e30": "the training ran away in epoch 0: a parameter or the loss exceeds "
    "1e+100 or is no number; learning rate 1e+30 is too large, expected a smaller --learning-rate",
}

#: By the command; of the first it is part of the words.
REFUSED = {"": OTHERS, "explain": EXPLAIN, "prove": PROVE, "sweep": SWEEP, "train": TRAIN}

#: They print what they begin with, unless they print JSON.
WITH_JSON = ("run", "train")


@pytest.mark.parametrize(
    ("command", "words"), [(command, words) for command in REFUSED for words in REFUSED[command]]
)
def test_bad_input_gets_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, words: str
) -> None:
    if command == "prove":
        pytest.importorskip("sympy", reason="sympy is not installed: make lint installs it")
    monkeypatch.chdir(tmp_path)
    call = f"{command} {words}".split()
    as_json = ["--json"] if call[0] in WITH_JSON else []
    assert REFUSED[command][words] in refused(*call, *as_json)
    assert not list(tmp_path.iterdir())
