"""What cannot be done is said in one line, and ends with 2."""

from pathlib import Path

import pytest

from benchmarks import machine
from tests.benchmarks.sure import FIRST, ended, one_line, stored

CHECKERS = ["checkers", "--quick"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--case", "witdh"], "'--case': 'witdh'; expected one of sample, batch-2-2-1"),
        (["--limit", "nan"], "'--limit': 'nan'; expected a number of seconds above 0"),
        (["--case", "training", "--dtype", "float32"], "no cell: training is not timed in float32"),
        (["--device", "gpu"], "--device gpu: JAX finds none"),
        (["--case", "sample", "--out", "/dev/null/out.json"], "cannot be written"),
        (["compare", str(FIRST), "nothing.json"], "nothing.json: No such file"),
        (["plot", str(FIRST), __file__], f"{__file__} is a file; expected a folder for the figu"),
        ([*CHECKERS, "--contender", "mine"], "'mine'; expected one of handgrad.check_grad"),
        ([*CHECKERS, "--table", "nothing.json"], "nothing.json: No such file or directory"),
        ([*CHECKERS, "--questions", "sized", "--subject", "arm"], "'arm'; expected one of 2-2-1"),
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
