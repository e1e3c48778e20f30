"""Whole outputs: of every command its help, of many what they print, of some cases the report.

What has changed is shown as a difference, and stored by `pytest tests/test_snapshots.py
--snapshot-update`: read it as a user would. Numbers may differ as in tests/console.py, since the
last digits do between processors. Verdicts and kinds are held by tests/test_corpus.py.
"""

import io
import itertools
import re
from collections.abc import Callable
from functools import partial
from typing import Any
from zlib import crc32

import click
import pytest
from click.testing import CliRunner
from rich.console import Console
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.amber import AmberSnapshotExtension

from benchmarks.report.whole import show, show_short
from benchmarks.results import Results
from tests.benchmarks.sure import stored
from tests.command_lines import CONTEXTS, ROOTS
from tests.console import PYTHON, in_this_process, same
from tests.corpus.all import all_cases
from tests.corpus.case import verdict_of
from tests.tiers import one_of_each

#: `{a|b}` stands for both. No line here says a time.
LINES = """
compare explain {w1|dh1_dz1} --person bob
compare explain w0.2.1 --network 3-4-2 --activation tanh --x 1,-2,0.5 --y 0,1
compare explain dw0[1,2] --network 2-3-2 --loss {bce|softmax-ce|huber} --l2 0.1 --x 1,2 --y 0,1
compare errata {|7 --json|1|16}
compare regress {|bdims --steps 3}
compare run {|--epochs 35 --every 10|--epochs 9 --weight 60 --height 168 --units metric}
compare run --init ones --epochs {0 --person Bob|5 --weight 200 --height 59}
compare run --learning-rate 1e10 --epochs 20
compare train --data iris --network 4-7-3 --epochs 3 --seed 5 --by hand {|--json}
compare sweep --case 4711 --plant wrong-input
compare prove {--plant half-mse|--network 2-2-1 --activation tanh --examples 1}
compare break {|half-mse --epochs 5|Update-before-USE --epochs 100|missing-square --epochs 200}
compare break small-elements-zeroed --init ones --epochs 5
handgrad check docs/neuron.py:{careful|hasty} --loss loss --like bob {|--counterexample}
handgrad.referee
benchmarks checkers --table benchmarks/results/checkers/{gradients|derivatives|torch}.json
benchmarks table benchmarks/results/comparison/first.json
benchmarks compare benchmarks/results/comparison/{first|slowed}.json benchmarks/results/cpu.json
"""


class Printed(AmberSnapshotExtension):
    """What is printed, but for white space at the ends of lines and the last digits of numbers."""

    def matches(self, *, serialized_data: Any, snapshot_data: Any) -> bool:
        return same(snapshot_data, serialized_data)


@pytest.fixture
def printed(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Printed)


def expanded(lines: str) -> list[str]:
    """The lines with braces expanded."""
    found: list[str] = []
    for line in lines.strip().splitlines():
        parts = [part.split("|") for part in re.split(r"[{}]", line)]
        found += (" ".join("".join(chosen).split()) for chosen in itertools.product(*parts))
    return found


@pytest.mark.parametrize("path", CONTEXTS)
def test_the_help_of_a_command(path: str, printed: SnapshotAssertion) -> None:
    root = next(name for name in ROOTS if path == name or path.startswith(f"{name} "))
    words = path.removeprefix(root).split()
    run = CliRunner().invoke(ROOTS[root], [*words, "--help"], prog_name=root)
    assert click.unstyle(run.output) == printed


@pytest.mark.slow
@pytest.mark.parametrize("line", expanded(LINES))
def test_what_a_command_prints(line: str, printed: SnapshotAssertion) -> None:
    code, out, err = in_this_process(PYTHON + line)
    assert f"{out}{err}ended with {code}" == printed


@pytest.mark.parametrize("screen", [show_short, show], ids=["short", "whole"])
def test_how_a_run_of_timings_reads(
    screen: Callable[[Results, Console], None], printed: SnapshotAssertion
) -> None:
    out = io.StringIO()
    screen(stored("sample", "batch/", "digits/512/float32/1"), Console(file=out, width=80))
    assert out.getvalue() == printed


#: Of certified rulings on wrong answers no digit depends on a clock, on a step or on rounding, but
#: how many units autodiff is off.
REPORTS = [
    name
    for name, case in all_cases().items()
    if case.verb == "gradient" and "right" not in name and crc32(name.encode()) % 50 == 0
]
UNITS = re.compile(r"\b\d+(\.\d)?(?= ulps)|(?<=\()\d+(\.\d)?(?=\) )")


@pytest.mark.parametrize("name", one_of_each(REPORTS, REPORTS[2::10]))
def test_the_report_on_a_case(name: str, printed: SnapshotAssertion) -> None:
    verdict, report = verdict_of(partial(all_cases()[name].check, seconds=600.0))
    if verdict == "disagree" and report.certified:
        assert UNITS.sub("#", str(report)) == printed
