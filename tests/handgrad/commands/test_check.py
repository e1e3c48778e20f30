"""`handgrad check`, end to end: command lines, how they end, and what they print."""

import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

import handgrad.check
from tests.tiers import slowly

MINE = """from __future__ import annotations
print("a word while loading")
import math
import sys
from dataclasses import dataclass
import jax
import jax.numpy as jnp
import numpy as np


def loss(params, x, y): return jnp.mean((x @ params["w"] + params["b"] - y) ** 2)
def gradient(params, x, y):
    print("a word while judging")
    residual = x @ params["w"] + params["b"] - y
    return {"w": 2 * x.T @ residual / len(y), "b": np.float64(2 * residual.mean())}


example = (
    {"w": np.array([0.3, -0.7]), "b": np.float64(0.1)},
    np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]]),
    np.array([1.0, 0.0, 2.0]),
)
lone = example[0]
weights = (np.array([0.3, 1.7]),)


def exchanged(*at): return (grads := gradient(*at)) | {"b": -grads["b"]}
def loses_digits(*at): return {name: (g + 1e8) - 1e8 for name, g in gradient(*at).items()}
def with_value(*at): return float(loss(*at)), gradient(*at)
def zeros(*at): return {"w": np.zeros(2), "b": np.zeros(())}
def jump(params, x, y): return jnp.floor(params["b"] - 0.1)
def left(*at):
    sys.exit(0)
def moved_out(*at): return gradient(*at) if at[0]["b"] == 0.1 else left(*at)
def no_example():
    exit()
def coloured(*at):
    raise ValueError("\\x1b[2J\\x9b1m \\u202e\\ud800")
def interrupted(*at):
    raise KeyboardInterrupt
def interrupted_later(*at):
    return gradient(*at) if np.array_equal(at[0]["w"], example[0]["w"]) else interrupted()


class Called:
    def grown(w): return np.sum(math.exp(w[0]))
def numpy_loss(params, x, y): return Called.grown(params["w"])


@dataclass
class Layer:  # dataclasses look for their module
    w: float


@jax.custom_jvp
def rounded(x): return jnp.round(x)
rounded.defjvp(lambda x, dx: (rounded(*x), dx[0]))
def by_rule(w): return jnp.sum(rounded(w))
def ones(w): return np.ones_like(w)
"""


def line_of(text: str) -> int:
    """In which line of mine.py something stands."""
    return next(i for i, line in enumerate(MINE.splitlines(), start=1) if text in line)


def ends(text: str) -> str:
    return f"mine.py, line {line_of(f'    {text}')}: {text}: this ends the process; expected a res"


#: Words behind `check`, the exit code, and what is printed, with 2 as one line of errors.
LINES: list[tuple[str, int, str]] = [
    ("gradient --points 2", 0, "3 points judged"),
    ("with_value --points 0 --has-value", 0, "agree: "),
    ("exchanged --points=0 --time", 1, "\nNot timed: disagree: a gradient gets a time once it is"),
    ("with_value --points=0", 1, "if it returns (loss, grads), say --has-value"),
    ("gradient --seconds=1e-9", 3, "--seconds gives it more, --directions 1 judges less"),
    (
        "ones --loss by_rule --like weights --points=0",
        1,
        "if that is intended, declare it with --trust-rule",
    ),
    ("loses_digits --points=0", 0, "imprecise: "),
    ("loses_digits --points=0 --strict", 1, "imprecise: "),
    ("zeros --loss jump --points=0", 3, "undecidable: "),
    ("ones --loss by_rule --like weights --points=0 --trust-rule=rounded", 0, "agree: "),
    (
        "gradient --loss numpy_loss --points=1",
        1,
        f"mine.py, line {line_of('math.exp(')}: JAX cannot trace math.exp(w[0]); write jnp.exp(",
    ),
    ("moved_out --points=2", 0, "the gradient raised SystemExit: 0, at 2 of 2 other points"),
    ("lone", 2, "mine.py:lone is of type dict; expected a function gradient(params, *inputs)"),
    ("gradient --like=lone", 2, "is of type dict; expected a tuple (params, *inputs)"),
    ("gradient --like=loss", 2, "mine.py:loss is a function of params, x, y; expected"),
    ("gradient --points=-1", 2, "'--points': '-1'; expected a whole number from 0 to 1e9."),
    ("gradient --\x1b[2J", 2, r"No such option '--\x1b[2J'"),
    ("gradient --jsn", 2, "No such option '--jsn'. Did you mean '--json'?"),
    # With 0 it would say that the gradient is right, with 1 that it is wrong.
    ("left", 2, f"gradient: {ends('sys.exit(0)')}"),
    ("gradient --like=no_example", 2, ends("exit()")),
    # Where a gradient is: what is not there has the nearest, or what was expected.
    ("mine.py:qqqq", 2, "mine.py has no 'qqqq'; it has "),
    ("min.py:loss", 2, "no such file: min.py; did you mean 'mine.py'?"),
    ("folder.py:loss", 2, "folder.py is a folder; expected a Python file in it: FILE.py:name"),
    ("of_mine.lacks:x", 2, "of_mine.lacks raised ModuleNotFoundError when"),
    ("sub/json.py:A.B.x --points=0", 1, "disagree"),
    (r"C:\a\b.py:loss", 2, r"no such file: C:\a\b.py"),
    ("mine.py:a..b", 2, "'mine.py:a..b'; expected FILE.py:"),
]


#: Files beside mine.py; None is a folder.
FILES: dict[str, Any] = {
    "folder.py": None,
    "of_mine/__init__.py": b"",
    "of_mine/lacks.py": b"import surely_not_installed",
    "sub/helper_of_mine.py": b"def there(params, x, y): return params",
    "sub/json.py": b"import helper_of_mine\nclass A:\n  class B:\n    x = helper_of_mine.there",
}


@pytest.mark.parametrize(("words", "code", "says"), LINES)
def test_command_lines(run: Any, folder: Path, words: str, code: int, says: str) -> None:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(text) if text is not None else (folder / name).mkdir()
    before = set(sys.modules)
    gradient, *more = words.split(" ")
    gradient = gradient if ":" in gradient else f"mine.py:{gradient}"
    ended = run("check", gradient, "--loss=mine.py:loss", "--like=mine.py:example", *more)
    for name in set(sys.modules) - before:
        del sys.modules[name]
    assert sys.modules["json"] is json, "a file meets no module of its name"
    assert ended.code == code, ended.err
    said = [text for text in ended.err.splitlines() if not text.startswith("a word")]
    if code == 2:
        assert ended.out == ""
        line, *details = dict.fromkeys(said)
        assert not details or "raised" in says
        assert line.startswith("Error: ")
        assert says in line
        return
    assert " ".join(says.split()) in " ".join(ended.out.split())
    assert "a word" not in ended.out
    hints = re.findall(r"\b[a-z_]+=", ended.out.partition("Again: ")[0])
    assert hints == [], "on a command line a hint names the command's options"
    # What fails with --strict alone is said so.
    assert ("Warning: imprecise" in ended.err) == ("imprecise" in says and code == 0)


def test_what_gives_the_same_again_is_a_command(check: Any, run: Any) -> None:
    """With the files and names that were given, and every option that changes the verdict."""
    options = ("--points=1", "--seed=5", "--strict", "--trust-rule=a rule")
    ended = check("exchanged", *options, "--json")
    answer = json.loads(ended.out)
    assert (ended.code, ended.out.count("\n")) == (1, 1)
    assert [leaf["path"] for leaf in answer["leaves"]] == ["params['b']", "params['w']"]
    program, *words = shlex.split(answer["reproduce"])
    assert program == "handgrad"
    again = json.loads(run(*words, "--json").out)
    assert again | {"seconds": 0} == answer | {"seconds": 0}
    # Printed as well, and without what is the default.
    _, _, printed = check("exchanged", *options).out.partition("\nAgain: ")
    assert shlex.split(printed.replace("\\\n", "")) == [program, *words]
    plain = json.loads(check("exchanged", "--points=8", "--seconds=20", "--json").out)["reproduce"]
    assert plain == "handgrad check mine.py:exchanged --loss loss --like example"


@pytest.mark.slow
def test_what_is_asked_besides_comes_in_a_fixed_order(check: Any, short_samples: None) -> None:  # noqa: ARG001
    ended = check("gradient", "--points=0", "--counterexample", "--plant", "--time")
    parts = ("agree: ", "What one call takes", "would have been caught at 1 point.", "No counter")
    places = [ended.out.index(text) for text in parts]
    assert (ended.code, places) == (0, sorted(places))
    assert "a word" not in ended.out
    ended = check("exchanged", "--points=0", "--json", "--time", "--plant", "--counterexample")
    answer = json.loads(ended.out)
    assert [*answer][-3:] == ["timings", "power", "counterexample"]
    assert {"sign"} <= {planted["mistake"] for planted in answer["power"]["planted"]}
    ended = check("exchanged", "--points=0", "--counterexample")
    report, _, code = ended.out.partition("\n\nA test that fails, as small as it was found:\n\n")
    assert (ended.code, report[:9]) == (1, "disagree:")
    names: dict[str, Any] = {}
    exec(compile(code, "counterexample.py", "exec"), names)
    (test,) = (f for name, f in names.items() if name.startswith("test_"))
    with pytest.raises(AssertionError, match="disagree"):
        test()


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
    assert "Reading" not in ended.out + check("exchanged", "--json").out


@pytest.mark.parametrize("words", [(), ("--json",), slowly(("--plant",))])
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
        return
    assert ended.out.startswith("agree: ")
    assert "Warning: interrupted after 0 of 8 other points" in ended.out
    ended = check("interrupted")
    assert (ended.code, ended.out) == (130, "")
    assert ended.err.endswith("\nStopped before a point was judged.\n")


def test_an_error_in_the_gradient_comes_with_its_own_frames(check: Any) -> None:
    ended = check("coloured")
    assert (ended.code, ended.out) == (2, "")
    said = ended.err[ended.err.index("Error: ") :].splitlines()
    assert said[0] == "Error: the gradient, mine.py:coloured, raised ValueError"
    number = 1 + line_of("def coloured(")
    assert said[1] == f'  File "mine.py", line {number}, in coloured'
    assert said[2] == "    " + MINE.splitlines()[number - 1].strip()
    assert said[3:] == [r"ValueError: \x1b[2J\x9b1m \u202e\ud800"]


def test_a_failure_of_handgrad_is_no_traceback_either(
    check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise KeyError("x")

    fail.__code__ = fail.__code__.replace(co_filename=handgrad.check.__file__)
    monkeypatch.setattr(handgrad.check, "report_on_gradient", fail)
    ended = check("gradient")
    assert (ended.code, ended.out) == (2, "")
    assert "Error: a mistake in handgrad itself, please report it: KeyError: 'x'" in ended.err
