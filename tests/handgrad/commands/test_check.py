"""`handgrad check`, end to end: what it prints, how it ends, and what it says of bad input."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import handgrad.check
from handgrad.judging.case import Case
from handgrad.report import GradientReport
from tests.handgrad.commands.conftest import Ended
from tests.handgrad.reports import RIGHT, report

MINE = """
print("a word while loading")
import asyncio
import math
import sys
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from numpy import exp


def loss(params, x, y):
    return jnp.mean((x @ params["w"] + params["b"] - y) ** 2)


def gradient(params, x, y):
    print("a word while judging")
    residual = x @ params["w"] + params["b"] - y
    return {"w": 2 * x.T @ residual / len(y), "b": np.float64(2 * residual.mean())}


def exchanged(params, x, y):
    grads = gradient(params, x, y)
    return grads | {"b": -grads["b"]}


def fails(params, x, y):
    return x @ np.ones(4)


class Left(SystemExit):
    pass


def left(params, x, y):
    sys.exit(0)


def told(params, x, y):
    sys.exit("no such weight")


def quits(params, x, y):
    quit()


def raises_it(params, x, y):
    raise Left(0)


def moved_out(params, x, y):
    return gradient(params, x, y) if params["b"] == 0.1 else left(params, x, y)


def cancelled(params, x, y):
    raise asyncio.CancelledError("late")


def no_example():
    exit()


def coloured(params, x, y):
    raise ValueError("\\x1b[2J\\x9b1m \\u202e\\ud800")


def interrupted(params, x, y):
    raise KeyboardInterrupt


def interrupted_later(params, x, y):
    if not np.array_equal(params["w"], example[0]["w"]):
        raise KeyboardInterrupt
    return gradient(params, x, y)


class Called:
    def grown(w):
        return np.sum(math.exp(w[0]))


def numpy_loss(params, x, y):
    return Called.grown(params["w"])


class Point(NamedTuple):
    w: float
    x: float


def make():
    return example


example = (
    {"w": np.array([0.3, -0.7]), "b": np.float64(0.1)},
    np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]]),
    np.array([1.0, 0.0, 2.0]),
)
lone = example[0]
named = Point(1.0, 2.0)
empty = ()
"""


def line_of(text: str) -> int:
    """In which line of mine.py something stands."""
    return next(i for i, line in enumerate(MINE.splitlines(), start=1) if text in line)


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put something else in the judge's place."""

    def replace(function: Any) -> None:
        monkeypatch.setattr(handgrad.check, "report_on_gradient", function)

    return replace


def ruling(verdict: str) -> Any:
    def judge(_: Case, __: Any, ___: int, strict: bool, *____: Any) -> GradientReport:
        return report(RIGHT, verdict=verdict, headline=verdict, strict=strict)

    return judge


def test_a_right_gradient(check: Any) -> None:
    ended = check("gradient", "--points", "2")
    assert ended.code == 0
    assert ended.out.startswith("agree: ")
    assert "3 points judged" in ended.out
    assert set(ended.err.splitlines()) == {"a word while loading", "a word while judging"}


def test_a_wrong_gradient(check: Any) -> None:
    ended = check("exchanged", "--points=0")
    assert ended.code == 1
    assert ended.out.startswith("disagree: params['b']")
    assert len(ended.out.splitlines()) <= 24


@pytest.mark.parametrize(
    "words",
    [
        ("check", "mine.py:gradient", "--loss", ":loss", "--like", "mine.py:make"),
        ("check", "mine:gradient", "--loss", "mine.py:loss", "--like", "example"),
        ("check", "{folder}/mine.py:gradient", "--loss=loss", "--like=example"),
    ],
)
def test_the_forms_of_a_name(run: Any, folder: Path, words: tuple[str, ...]) -> None:
    ended = run(*(word.format(folder=folder) for word in words), "--points=0")
    assert (ended.code, ended.out[:6]) == (0, "agree:")


def test_as_json(check: Any) -> None:
    ended = check("exchanged", "--points=1", "--seed=5", "--json")
    answer = json.loads(ended.out)
    assert (ended.code, ended.out.count("\n")) == (1, 1)
    assert answer["verdict"] == "disagree"
    assert [leaf["path"] for leaf in answer["leaves"]] == ["params['b']", "params['w']"]


def test_what_gives_the_same_again_is_a_command(
    check: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the files and names that were given, and every option that changes the verdict."""
    options = ("--points=1", "--seed=5", "--strict", "--trust-rule=a rule")
    answer = json.loads(check("exchanged", *options, "--json").out)
    program, *words = shlex.split(answer["reproduce"])
    assert program == "handgrad"
    again = json.loads(run(*words, "--json").out)
    assert again | {"seconds": 0} == answer | {"seconds": 0}
    # Printed as well, and without what is the default.
    _, _, printed = check("exchanged", *options).out.partition("\nAgain: ")
    assert "\\\n" in printed
    assert shlex.split(printed.replace("\\\n", "")) == [program, *words]
    monkeypatch.setattr("handgrad.commands.targets.started", lambda: ["py", "-m", "handgrad"])
    plain = json.loads(check("exchanged", "--points=8", "--seconds=20", "--json").out)["reproduce"]
    assert plain == "py -m handgrad check mine.py:exchanged --loss loss --like example"


def test_the_options_reach_the_judge(check: Any, judge: Any) -> None:
    asked: dict[str, Any] = {}

    def note(case: Case, _: Any, points: int, strict: bool, __: str, *more: Any) -> GradientReport:
        asked.update(points=points, strict=strict, seed=case.seed, has_value=case.has_value)
        asked.update(trust_rules=set(case.trust_rules), seconds=more[0], directions=more[1])
        return report()

    judge(note)
    words = ["--points=3", "--seed=7", "--strict", "--has-value", "--seconds=5", "--directions=2"]
    assert check("gradient", *words, "--trust-rule=clip", "--trust-rule=ste").code == 0
    assert asked == {
        "points": 3,
        "seed": 7,
        "strict": True,
        "has_value": True,
        "trust_rules": {"clip", "ste"},
        "seconds": 5.0,
        "directions": 2,
    }


def test_a_wrong_gradient_gets_no_time(check: Any) -> None:
    ended = check("exchanged", "--points=0", "--time")
    line = "Not timed: disagree: a gradient gets a time once it is right."
    assert (ended.code, ended.out.splitlines()[-1]) == (1, line)


@pytest.mark.parametrize(
    ("verdict", "words", "code", "warned"),
    [
        ("agree", (), 0, False),
        ("imprecise", (), 0, True),
        ("imprecise", ("--strict",), 1, False),
        ("imprecise", ("--json",), 0, True),
        ("disagree", (), 1, False),
        ("undecidable", (), 3, False),
    ],
)
def test_how_it_ends(
    check: Any, judge: Any, verdict: str, words: tuple[str, ...], code: int, warned: bool
) -> None:
    judge(ruling(verdict))
    ended = check("gradient", *words)
    assert ended.code == code
    assert ("Warning: imprecise, digits are lost; with --strict" in ended.err) == warned
    assert verdict in ended.out


def test_on_a_terminal(check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something moves while it works, on standard error; the answer has its columns and colours."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    ended = check("exchanged")
    assert "Loading mine.py:exchanged ..." in ended.err
    assert "Reading the report on mine.py:exchanged ..." in ended.err
    assert ended.out.startswith("\x1b[1;31mdisagree\x1b[0m")
    assert "leaf" in ended.out
    assert "Reading" not in ended.out + check("exchanged", "--json").out


def test_ctrl_c(check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "_exit", sys.exit)
    ended = check("interrupted")
    assert (ended.code, ended.out) == (130, "")
    assert ended.err.endswith("\nStopped before a point was judged.\n")


@pytest.mark.parametrize("words", [(), ("--json",), ("--plant",)])
def test_ctrl_c_leaves_what_was_judged(
    check: Any, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(os, "_exit", sys.exit)
    ended = check("interrupted_later", *words)
    assert ended.code == 130
    assert ended.err.endswith("\nStopped after 1 of 9 points.\n")
    if "--json" in words:
        found = json.loads(ended.out)
        assert (found["verdict"], found["points"]) == ("agree", 1)
    else:
        assert ended.out.startswith("agree: ")
        assert "Warning: interrupted after 0 of 8 other points" in ended.out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["gradent"], "mine.py has no 'gradent'; did you mean 'gradient'?"),
        (["lone"], "mine.py:lone is of type dict; expected a function gradient(params, *inputs)"),
        (["gradient", "--loss=example"], "expected a function loss(params, *inputs)"),
        (["gradient", "--like=lone"], "is of type dict; expected a tuple (params, *inputs)"),
        (["gradient", "--like=named"], "is of type Point alone; expected a tuple (params,"),
        (["gradient", "--like=empty"], "is an empty tuple; expected a tuple (params, *inputs)"),
        (["gradient", "--like=loss"], "mine.py:loss is a function of params, x, y; expected"),
        (["gradient", "--loss=other.py"], "'other.py'; expected FILE.py:loss or package.module:"),
        (["gradient", "--points=-1"], "'--points': '-1'; expected a whole number from 0 to 1e9."),
        (["gradient", "--\x1b[2J"], r"No such option '--\x1b[2J'"),
        (["gradient", "--directions=2", "--plant"], "--plant needs every element judged, and"),
        (["gradient", "--directions=0"], "'--directions': '0'; expected a whole number from 1 to "),
        (["gradient", "--seconds=0"], "'--seconds': '0'; expected a number of seconds above 0."),
        (["gradient", "--jsn"], "No such option '--jsn'. Did you mean '--json'?"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(run: Any, words: list[str], line: str) -> None:
    gradient, *more = words
    ended = run("check", f"mine.py:{gradient}", "--loss=loss", "--like=example", *more)
    assert (ended.code, ended.out) == (2, "")
    said = [text for text in ended.err.splitlines() if not text.startswith("a word")]
    assert len(said) == 1
    assert said[0].startswith("Error: ")
    assert line in said[0]


def test_what_can_only_be_called_is_judged_and_not_certified(run: Any) -> None:
    ended = run("check", "mine.py:gradient", "--loss=numpy_loss", "--like=example", "--json")
    found = json.loads(ended.out)
    assert (ended.code, found["verdict"], found["certified"]) == (1, "disagree", False)
    assert found["headline"].endswith("; not certified")
    assert found["warnings"][-1].startswith(
        f"not certified: mine.py, line {line_of('math.exp(')}: JAX cannot trace "
        "math.exp(w[0]); write jnp.exp(w[0]) (import jax.numpy as jnp)"
    )


def lines_after_error(ended: Ended) -> list[str]:
    return ended.err[ended.err.index("Error: ") :].splitlines()


def test_an_error_in_the_gradient_comes_with_its_own_frames(check: Any) -> None:
    ended = check("fails")
    first, *rest = lines_after_error(ended)
    assert (ended.code, ended.out) == (2, "")
    assert first == "Error: the gradient, mine.py:fails, raised ValueError"
    assert rest[:2] == [
        f'  File "mine.py", line {line_of("np.ones(4)")}, in fails',
        "    return x @ np.ones(4)",
    ]
    assert rest[2].startswith("ValueError: matmul: ")
    assert len(rest) == 3


@pytest.mark.parametrize("words", [(), ("--json",)])
@pytest.mark.parametrize(
    ("gradient", "more", "whose", "line"),
    [
        ("left", {}, "gradient: ", "sys.exit(0)"),
        ("told", {}, "gradient: ", 'sys.exit("no such weight")'),
        ("quits", {}, "gradient: ", "quit()"),
        ("raises_it", {}, "gradient: ", "raise Left(0)"),
        ("gradient", {"loss": "left"}, "loss: ", "sys.exit(0)"),
        ("gradient", {"like": "no_example"}, "", "exit()"),
    ],
)
def test_what_would_end_the_process_is_bad_input(
    check: Any, gradient: str, more: dict[str, str], whose: str, line: str, words: tuple[str, ...]
) -> None:
    """With 0 it would say that the gradient is right, with 1 that it is wrong."""
    ended = check(gradient, *words, **more)
    where = f"mine.py, line {line_of(f'    {line}')}: {line}"
    expected = "expected a result, or an error of another kind"
    assert (ended.code, ended.out) == (2, "")
    assert lines_after_error(ended) == [f"Error: {whose}{where}: this ends the process; {expected}"]


def test_what_would_end_the_process_at_another_point_is_said(check: Any) -> None:
    ended = check("moved_out", "--points=2")
    assert (ended.code, ended.out.splitlines()[0][:6]) == (0, "agree:")
    assert "Warning: the gradient raised SystemExit: 0, at 2 of 2 other points" in ended.out


def test_no_error_is_a_traceback(check: Any) -> None:
    ended = check("cancelled")
    assert (ended.code, ended.out) == (2, "")
    first, *_, last = lines_after_error(ended)
    assert first == "Error: the gradient, mine.py:cancelled, raised CancelledError"
    assert last == "asyncio.exceptions.CancelledError: late"


def test_a_terminal_obeys_no_error(check: Any) -> None:
    ended = check("coloured")
    assert lines_after_error(ended)[-1] == r"ValueError: \x1b[2J\x9b1m \u202e\ud800"


def test_a_failure_of_handgrad_is_no_traceback_either(check: Any, judge: Any) -> None:
    def fail(*_: Any, **__: Any) -> GradientReport:
        raise KeyError("x")

    fail.__code__ = fail.__code__.replace(co_filename=handgrad.check.__file__)
    judge(fail)
    ended = check("gradient")
    assert (ended.code, ended.out) == (2, "")
    (line,) = lines_after_error(ended)
    assert line.startswith("Error: a mistake in handgrad itself, please report it: KeyError: 'x'")


def test_a_package_that_is_missing(check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "handgrad.check", None)
    ended = check("gradient")
    assert ended.code == 2
    assert "Error: the package 'handgrad.check' is not installed; expected" in ended.err


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["--help"], 0, "Is this hand-written gradient right?"),
        ([], 2, "Usage: handgrad"),
        (["chek"], 2, "Error: No such command 'chek'. Did you mean 'check'?"),
        (["check"], 2, "Error: Missing argument 'FILE.py:GRADIENT'. See handgrad check --help."),
    ],
)
def test_help(run: Any, words: list[str], code: int, text: str) -> None:
    ended = run(*words)
    assert ended.code == code
    assert text in (ended.err if code else ended.out)


def test_help_loads_nothing_heavy() -> None:
    """What takes time to load is loaded by what needs it."""
    code = (
        "import sys; sys.argv = ['handgrad', 'check', '--help']\n"
        "from handgrad.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*{'jax', 'numpy', 'flint', 'rich', 'hypothesis'} & set(sys.modules), 'end')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "end"


@pytest.mark.slow
def test_as_a_module_and_with_a_closed_pipe(folder: Path) -> None:
    """A reader that has seen enough is no error."""
    words = [sys.executable, "-m", "handgrad", "check", "mine.py:exchanged"]
    command = [*words, "--loss=loss", "--like=example", "--points=0", "--json"]
    read, write = os.pipe()
    os.close(read)
    run = subprocess.run(
        command, cwd=folder, stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert run.returncode == 0
    assert "Traceback" not in run.stderr
