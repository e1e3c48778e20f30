"""Bad input on the command line gets one line, with what was found and what was expected.

What numbers may be is in tests/test_command_lines.py.
"""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.compare.calls import refused
from tests.test_snapshots import expanded

#: `{a|b}` stands for both. What each is told is in the snapshot beside it.
LINES = """
rnu
run --learning-rate 1e200
run {--person bbo|--plto x|extra}
run --plot {loss.pdf|no/such/place.svg}
run {--weight 128|--units metric|--weight nan --height 63}
regress {absent.csv|--target hgt|bdims --learning-rate 5}
plot {nonsense|exma x.svg|exam|exam \u202ex.pdf|exam folder.svg}
plot surface x.svg {--x w1 --y w1|--x w7}
errata 23
break {half-msee|nothing\x1b[2J}
explain {w7|w1 --x}
explain w1 --x {1|1,2,3 --y 1|1,b --y 1|1e308,1e308 --y 1}
explain w1 --person bob {--x 1,2 --y 1|--network 2-2-2}
explain w1 {--activation tanh|--network 9-20-9|--network 2-2-1 --loss bce --output tanh}
explain w1 --init ones {--seed 7|--network 1-2}
explain w1 --network 1-2 --loss bce --x 1 --y 0,5
prove {--loss softmax-ce|--examples 3}
prove --network {two|50-50-1|2-2-1 --activation gelu}
prove --plant {ascends|half-mse --network 3-3-2}
sweep {--case 3 --cases 10|--case 3 --distributed}
sweep {--weights uniform|--inputs uniform:1e31|--weights uniform:1e5 --dtype float32}
sweep --plant {update-before-use|half-mse --network 3-3-1}
sweep --network {40-40-10|3-3-1 --sigmoid-derivative article}
train
train --data iris --network {3-7-3|4-7-2|4-99999999-3}
train --data diabetes {--loss bce|--network 10-8-2}
train --data breast-cancer --network 30-4-3
train --data iris --out {model.txt|there.npz}
train --data iris {--feature petal|--target width}
train --data iris --by hand --loss mse --output identity --optimiser sgd --learning-rate 1e99
"""

#: They print what they begin with, unless they print JSON.
WITH_JSON = ("run", "train")


@pytest.mark.parametrize("line", expanded(LINES))
def test_bad_input_gets_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, snapshot: SnapshotAssertion
) -> None:
    if line.startswith("prove"):
        pytest.importorskip("sympy", reason="sympy is not installed: make lint installs it")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.svg").mkdir()
    (tmp_path / "there.npz").touch()
    before = sorted(tmp_path.rglob("*"))
    words = line.split()
    assert refused(*words, *["--json"] * (words[0] in WITH_JSON)) == snapshot
    assert sorted(tmp_path.rglob("*")) == before
