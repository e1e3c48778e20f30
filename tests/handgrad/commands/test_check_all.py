"""`handgrad check --all`: what it finds by name, by decorator and in a list, and what it writes."""

import json
import os
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

MINE = """
print("a word while loading")
import sys
from functools import partial
import numpy as np
from numpy import square
from handgrad import check_gradient, gradient_of
def loss(w): return np.sum(np.sin(w))
def gradient(w): return np.cos(w)
def example(): return (np.array([0.3, 0.4]),)
def cube(w, x): return np.sum(w**3 * x)
def cube_grad(w, x): return 3 * w**2
cube_example = np.array([0.3, 0.4]), np.array([1.0, 2.0])
def _ratio(w, x, *, p=2): return np.sum(x / w)
def _grad_ratio(w, x): return -x / w**2
def apart(w): return np.sum(w)
def d_apart(w): raise RuntimeError("not so")
example_apart = example
@gradient_of(cube, like=cube_example, has_value=True, points=1, trust_rules=[loss])
def both(w, x): return cube(w, x), 3 * w**2 * x
@gradient_of(lambda w: np.sum(w**2), like=lambda: (np.ones(2),))
def of_lambda(w): return 2 * w
def square_grad(x): return 2 * x  # of NumPy's own function
grad_of_nothing = None
CHECKS = {"cos": partial(check_gradient, gradient, loss, *example(), points=0)}
def make(): return [partial(check_gradient, gradient, loss, *example()), lambda: 1]
"""

#: Files of a package, with tests in it and a module that cannot be imported, and other files.
FILES = {
    "of_mine/__init__.py": "from of_mine.below.losses import sin, sin_jac\n",
    "of_mine/test_it.py": "raise SystemExit('tests')\n",
    "of_mine/below/__init__.py": "",
    "of_mine/below/broken.py": "import not_there\n",
    "of_mine/below/losses.py": (
        "import numpy as np\n"
        "def sin(w): return np.sum(np.sin(w))\n"
        "def sin_jac(w): return np.cos(w)\n"
        "def sin_example(): return (np.array([0.3]),)\n"
    ),
    "left.py": (
        "import sys\nimport numpy as np\ndef f(w): return np.sum(w)\nexample_f = np.ones(2),\n"
        'def f_grad(w): sys.exit(0)\ndef grad_f(w): raise ValueError("\\x1b[2J\\x9b1m\\ud800")\n'
    ),
    "jump.py": (
        "import numpy as np\n"
        "def jump(w): return np.sum(np.floor(w))\n"
        "def jump_grad(w): return np.zeros(2)\n"
        "jump_example = (np.ones(2),)\n"
    ),
    "stopped.py": f"{MINE}def d_loss(w): raise KeyboardInterrupt\nloss_example = example\n",
}


@pytest.fixture(autouse=True)
def files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)
    for name in ("of_mine", "of_mine.below", "of_mine.below.losses"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def reasons(answer: Any) -> dict[str, str]:
    return {left["name"]: left["reason"] for left in answer["not_judged"]}


def test_all_of_a_file(run: Any) -> None:
    ended = run("check", "--all", "mine.py", "--points", "0", "--out", "found/here")
    assert (ended.code, ended.err) == (1, "a word while loading\n")
    told = "3 of 5 checks pass: 1 wrong (mine.py:cube_grad), 1 raised (mine.py:d_apart); "
    assert f"{told}2 not judged." in " ".join(ended.out.split())
    again = "check mine.py:cube_grad --loss cube --like cube_example --points 0"
    assert again in " ".join(ended.out.replace("\\\n", "").split())
    written = {path.name: path.read_text() for path in Path("found/here").iterdir()}
    assert sorted(written) == [
        *("audit.html", "audit.json", "failed-mine.py_cube_grad.txt", "junit.xml")
    ]
    assert written["failed-mine.py_cube_grad.txt"] in ended.out
    assert "<title>Derivatives of mine.py</title>" in written["audit.html"]
    suite = ElementTree.fromstring(written["junit.xml"])[0]
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == [*"7112"]
    answer = json.loads(written["audit.json"])
    checks = answer["checks"]
    assert [(c["name"].partition(":")[2], c["verdict"]) for c in checks] == [
        *(("gradient", "agree"), ("cube_grad", "disagree"), ("d_apart", "raised")),
        *(("both", "agree"), ("of_lambda", "agree")),
    ]
    assert [c["report"] and c["report"]["points"] for c in checks] == [1, 1, None, 2, 1]
    says = "no example; `def {}_example(): return {}` beside it would be one"
    assert reasons(answer) == {
        "mine.py:_grad_ratio": says.format("_ratio", "(w, x)"),
        "mine.py:square_grad": says.format("square", "(x,)"),
    }
    assert "--has-value --trust-rule loss" in checks[3]["report"]["reproduce"]
    assert checks[4]["report"]["reproduce"] == "", "a lambda has no name to be given"


def test_what_would_end_the_process_or_colour_the_terminal_is_a_row(run: Any) -> None:
    ended = run("check", "--all", "left.py", "--out", "found")
    data = run("check", "--all", "left.py", "--json")
    assert (ended.code, data.code) == (2, 2)
    texts = [ended.out, data.out, *(path.read_text() for path in Path("found").iterdir())]
    assert len(texts) == 5
    for text in texts:
        assert "left.py, line 5: sys.exit(0): this ends" in " ".join(text.split())
        assert text.replace("\n", "").isprintable()
    assert json.loads(data.out)["checks"][1]["raised"].startswith("ValueError: \x1b[2J\x9b1m\ud800")
    assert r"ValueError: \x1b[2J\x9b1m\ud800" in ended.out
    ElementTree.parse("found/junit.xml")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("--all mine.py:CHECKS", 0, "The one check passes."),
        ("--all mine.py:make --points 0 --plant", 2, "planted mistakes"),
        ("--all of_mine --json", 0, '"of_mine.below.losses:sin_jac"'),
        ("--all jump.py --points 0", 3, "undecidable"),
        ("--all stopped.py --points 0", 130, "stopped.py:d_loss interrupted"),
        ("--all mine.py --time", 2, "--time is for one gradient; expected none of it"),
        ("--all mine.py --out mine.py", 2, "--out: mine.py is a file; expected a folder"),
        ("mine.py:gradient --out a", 2, "--out is for many gradients; expected --all with it"),
        ("mine.py:gradient --like example", 2, "Missing option '--loss'"),
    ],
)
def test_command_lines(
    run: Any, words: str, code: int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "_exit", sys.exit)
    ended = run("check", *words.split())
    assert ended.code == code
    assert says in " ".join((ended.out or ended.err).split())
    if code == 130:
        assert ended.err.endswith("\nStopped after 5 of 6 checks.\n")


CURVES = """
import numpy as np
from handgrad import hessian_of
def quartic(x, k): return k * np.sum(x**4) + x[0] * x[1]
def quartic_jac(x, k): return 4 * k * x**3 + np.array([x[1], x[0]])
def hess_quartic(x, k): return np.diag(12 * k * x**2) + np.array([[0.0, 1.0], [1.0, 0.0]])
def quartic_hess(x, k): return np.diag(12 * k * x**2)
def hvp_quartic(x, v, k): return quartic_hess(x, k) @ v
quartic_example = np.array([0.5, -2.0]), 3.0
def pair(x, t): return np.stack([x[0] * t, x[1] * t**2])
def pair_jac(x, t): return np.stack([np.stack([t, 0 * t], -1), np.stack([0 * t, t**2], -1)])
def jacobian_pair(x, t): return np.stack([np.stack([0 * t, t], -1), np.stack([t**2, 0 * t], -1)])
def pair_example(): return np.array([0.5, -2.0]), np.array([0.3, 1.7, 2.1])
def residuals(x): return np.sin(x)
def jac(x): return np.diag(np.cos(x))
residuals_example = (np.array([0.5, -2.0]),)
@hessian_of(quartic, seed=3, points=0)
def bent(x, k): return hess_quartic(x, k)
"""

#: The first leaf of each kind's report, by which it is known.
KINDS = {
    "x": {"quartic_jac", "hvp_quartic"},
    "hess": {"hess_quartic", "quartic_hess", "bent"},
    "jac": {"pair_jac", "jacobian_pair", "jac"},
}
WRONG = {"quartic_hess", "hvp_quartic", "jacobian_pair"}


@pytest.mark.slow
def test_kinds_are_told_by_name_and_by_value(run: Any, folder: Path) -> None:
    """`jac` is a gradient beside one number, a Jacobian beside an array."""
    (folder / "curves.py").write_text(CURVES)
    ended = run("check", "--all", "curves.py", "--points", "0", "--json")
    answer = json.loads(ended.out)
    checks = {c["name"].partition(":")[2]: c["report"] for c in answer["checks"]}
    for leaf, names in KINDS.items():
        assert {name for name, r in checks.items() if r["leaves"][0]["path"] == leaf} == names
    assert {name for name, r in checks.items() if r["verdict"] == "disagree"} == WRONG
    assert ended.code == 1
    assert checks["bent"]["reproduce"].endswith("--kind hessian --points 0 --seed 3")
