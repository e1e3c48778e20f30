"""What cannot be done is said in one line, and ends with 2."""

from pathlib import Path

import pytest

from benchmarks import machine
from tests.benchmarks.sure import FIRST, ended, one_line, stored

LONG, HERE = "9" * 300, str(Path(__file__))
CHECKERS, SIZED = ["checkers", "--quick"], ["checkers", "--quick", "--questions", "sized"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--case", "witdh"], "'--case': 'witdh'; expected one of sample, batch-2-2-1"),
        (["--limit", "nan"], "'--limit': 'nan'; expected a number of seconds above 0"),
        (["--case", "training", "--dtype", "float32"], "no cell: training is not timed in float32"),
        (["--device", "gpu"], "--device gpu: JAX finds none"),
        (["--case", "sample", "--out", "/dev/null/out.json"], "cannot be written"),
        (["--case", "sample", "--out", LONG], "999: cannot be written: File name too long"),
        (["table", "nothing.json"], "nothing.json: No such file"),
        (["compare", str(FIRST), "nothing.json"], "nothing.json: No such file"),
        (["plot", str(FIRST), HERE], f"{HERE} is a file; expected a folder for the figures."),
        ([*CHECKERS, "--contender", "mine"], "'mine'; expected one of handgrad.check_grad"),
        ([*CHECKERS, "--table", "nothing.json"], "nothing.json: No such file or directory"),
        ([*CHECKERS, "--subject", "nothing"], "'nothing'; expected one of article-people, "),
        ([*SIZED, "--subject", "arm"], "'arm'; expected one of 2-2-1, 4, "),
        ([*SIZED, "--contender", "numdifftools"], "'numdifftools'; expected one"),
    ],
)
def test_bad_input_is_one_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.setattr(machine, "PROBE", "raise RuntimeError('no device')")
    assert ended(*arguments) == 2
    one_line(capsys, says)


def test_runs_without_a_row_in_common_are_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.json"
    stored("map/").save(other)
    assert ended("compare", str(FIRST), str(other)) == 2
    one_line(capsys, "no row in common")
