"""`handgrad check --all`: what it finds by name, by decorator and in a list, and what it writes."""

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from handgrad.commands.discovery import discover
from handgrad.commands.loading import Loader

MINE = """
print("a word while loading")
from functools import partial
import numpy as np
from numpy import square
from handgrad import check_gradient, check_steps, gradient_of


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


@pytest.fixture
def package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package beside mine.py, with tests in it and a module that cannot be imported."""
    below = folder / "of_mine" / "below"
    below.mkdir(parents=True)
    (below.parent / "__init__.py").write_text("from of_mine.below.losses import sin, sin_jac\n")
    (below.parent / "__main__.py").write_text("raise SystemExit('run')\n")
    (below.parent / "test_it.py").write_text("raise SystemExit('tests')\n")
    (below / "__init__.py").write_text("")
    (below / "broken.py").write_text("import not_there\n")
    (below / "losses.py").write_text(
        "import numpy as np\n"
        "def sin(w): return np.sum(np.sin(w))\n"
        "def sin_jac(w): return np.cos(w)\n"
        "def sin_example(): return (np.array([0.3]),)\n"
    )
    for name in ("of_mine", "of_mine.below", "of_mine.below.losses"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return below.parent


def found(source: str) -> tuple[list[str], dict[str, str]]:
    names, left = discover(source, Loader())
    return [*names], dict(left)


def test_pairs_are_found_by_name_and_by_decorator(folder: Path) -> None:  # noqa: ARG001
    names, left = found("mine.py")
    assert names == [
        *("mine.py:gradient", "mine.py:cube_grad", "mine.py:d_apart", "mine.py:both"),
        "mine.py:of_lambda",
    ]
    assert left == {
        "mine.py:_grad_ratio": (
            "no example; `def _ratio_example(): return (w, x)` beside it would be one"
        ),
        "mine.py:square_grad": (
            "no example; `def square_example(): return (x,)` beside it would be one"
        ),
    }


@pytest.mark.usefixtures("package")
def test_a_package_is_searched_without_its_tests() -> None:
    names, left = found("of_mine")
    assert names == ["of_mine.below.losses:sin_jac"]
    assert left == {
        "of_mine.below.broken": "ModuleNotFoundError when imported: No module named 'not_there'"
    }


AGAIN = "mine.py:cube_grad --loss cube --like cube_example --points 0"


def test_all_of_a_file(run: Any) -> None:
    ended = run("check", "--all", "mine.py", "--points", "0", "--out", "found/here")
    assert (ended.code, ended.err) == (1, "a word while loading\n")
    told = "3 of 5 checks pass: 1 wrong (mine.py:cube_grad), 1 raised (mine.py:d_apart); "
    assert f"{told}2 not judged." in " ".join(ended.out.split())
    assert " ".join(ended.out.replace("\\\n", "").split()).count(f"check {AGAIN}") == 1
    written = {path.name: path.read_text() for path in Path("found/here").iterdir()}
    assert set(written) == {
        *("audit.html", "audit.json", "junit.xml", "failed-mine.py_cube_grad.txt")
    }
    assert written["failed-mine.py_cube_grad.txt"] in ended.out
    assert "<title>Derivatives of mine.py</title>" in written["audit.html"]
    suite = ElementTree.fromstring(written["junit.xml"])[0]
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == [*"7112"]
    checks = json.loads(written["audit.json"])["checks"]
    assert {c["name"]: c["report"]["points"] for c in checks if c["report"]} == {
        "mine.py:gradient": 1,
        "mine.py:cube_grad": 1,
        "mine.py:both": 2,
        "mine.py:of_lambda": 1,
    }
    assert "--has-value --trust-rule loss" in checks[3]["report"]["reproduce"]
    assert checks[4]["report"]["reproduce"] == "", "a lambda has no name to be given"


def test_what_would_end_the_process_or_colour_the_terminal_is_a_row(run: Any) -> None:
    head = "import sys\nimport numpy as np\ndef f(w): return np.sum(w)\nexample_f = np.ones(2),\n"
    tail = 'def f_grad(w): sys.exit(0)\ndef grad_f(w): raise ValueError("\\x1b[2J\\x9b1m\\ud800")\n'
    Path("left.py").write_text(head + tail)
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


def test_checks_of_any_kind_are_named_by_a_file(run: Any) -> None:
    ended = run("check", "--all", "mine.py:CHECKS", "--json")
    assert ended.code == 0
    assert json.loads(ended.out)["headline"] == "the one check passes"
    ended = run("check", "--all", "mine.py:make", "--points", "0", "--plant")
    assert ended.code == 2
    assert "<lambda>  raised" in ended.out
    assert "planted mistakes" in ended.out
    ended = run("check", "--all", "mine.py:loss")
    assert (ended.code, ended.out) == (2, "")
    assert "Error: loss() missing 1 required positional argument: 'w'\n" in ended.err
    ended = run("check", "--all", "mine.py:cube_example")
    assert "Error: mine.py:cube_example['check 1']: got array" in ended.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--all", "mine.py", "--loss", "a"), "--loss is for one gradient; expected none of it"),
        (("--all", "mine.py", "--domain", "simplex"), "--domain is for one gradient"),
        (("--all", "mine.py", "--convention", "jax"), "--convention is for one gradient"),
        (("--all", "mine.py", "--time"), "--time is for one gradient; expected none of it"),
        (("--all", "mine.py", "--out", "mine.py"), "--out: mine.py is a file; expected a folder"),
        (("mine.py:gradient", "--out", "a"), "--out is for many gradients; expected --all with it"),
        (("mine.py:gradient", "--like", "example"), "Missing option '--loss'"),
        (("mine.py:gradient", "--loss", "loss"), "Missing option '--like'"),
        (("--all", "other.py"), "no such file: other.py; expected a Python file"),
        (("--all", "none_such"), "no module named 'none_such'; expected FILE.py or package.module"),
    ],
)
def test_what_does_not_go_together(run: Any, words: tuple[str, ...], says: str) -> None:
    ended = run("check", *words)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"Error: {says}")


def test_what_cannot_be_written_is_shown_and_long_names_can(run: Any, folder: Path) -> None:
    lines = (
        "from functools import partial",
        "from handgrad import check_gradient",
        "from mine import cube, cube_example, cube_grad",
        "check = partial(check_gradient, cube_grad, cube, *cube_example, points=0)",
        "checks = {letter * 300: check for letter in ('x', '\N{HIRAGANA LETTER A}')}",
    )
    (folder / "long.py").write_text("\n".join(lines))
    assert run("check", "--all", "long.py:checks", "--out", "long").code == 1
    assert sum(path.name.startswith("failed-") for path in Path("long").iterdir()) == 2
    Path("taken/audit.html").mkdir(parents=True)
    ended = run("check", "--all", "long.py:checks", "--out", "taken")
    assert ended.code == 2
    assert "0 of 2 checks pass" in ended.out


def test_what_has_no_example_is_told(run: Any, folder: Path) -> None:
    (folder / "bare.py").write_text("def f(x): pass\ndef f_grad(x): pass\n")
    ended = run("check", "--all", "bare.py")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        "Error: bare.py has no derivative to judge",
        "  bare.py:f_grad: no example; `def f_example(): return (x,)` beside it would be one",
    ]


def test_exit_codes_by_the_worst(run: Any, folder: Path) -> None:
    text = (
        "import numpy as np\n"
        "def jump(w): return np.sum(np.floor(w))\n"
        "def jump_grad(w): return np.zeros(2)\n"
        "jump_example = (np.ones(2),)\n"
    )
    (folder / "a.py").write_text(text)
    assert run("check", "--all", "a.py", "--points", "0").code == 3
    raising = "def f(w): return w @ w\ndef f_grad(w): 1 / 0\nf_example = jump_example\n"
    (folder / "b.py").write_text(text + raising)
    assert run("check", "--all", "b.py", "--points", "0").code == 2


def test_an_interruption_shows_and_writes_what_was_judged(
    run: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "_exit", sys.exit)
    stopping = "def d_loss(w): raise KeyboardInterrupt\nloss_example = example\n"
    (folder / "stopped.py").write_text(MINE + stopping)
    ended = run("check", "--all", "stopped.py", "--points", "0", "--out", "out")
    assert ended.code == 130
    assert ended.err.endswith("\nStopped after 5 of 6 checks.\n")
    assert "stopped.py:d_loss interrupted" in " ".join(ended.out.split())
    assert "interrupted" in (folder / "out" / "junit.xml").read_text()


CURVES = """
import numpy as np
from handgrad import hessian_of, hvp_of, jacobian_of


def quartic(x, k): return k * np.sum(x**4) + x[0] * x[1]
def quartic_jac(x, k): return 4 * k * x**3 + np.array([x[1], x[0]])
def hess_quartic(x, k): return np.diag(12 * k * x**2) + np.array([[0.0, 1.0], [1.0, 0.0]])
def quartic_hess(x, k): return np.diag(12 * k * x**2)
def quartic_hess_prod(x, v, k): return hess_quartic(x, k) @ v
def hvp_quartic(x, v, k): return quartic_hess(x, k) @ v
quartic_example = np.array([0.5, -2.0]), 3.0


def pair(x, t): return np.stack([x[0] * t, x[1] * t**2])
def pair_jac(x, t): return np.stack([np.stack([t, 0 * t], -1), np.stack([0 * t, t**2], -1)])
def jacobian_pair(x, t): return np.stack([np.stack([0 * t, t], -1), np.stack([t**2, 0 * t], -1)])
def pair_grad(x, t): return t, t**2
def pair_hess(x, t): return np.zeros((2, 2))
def pair_example(): return np.array([0.5, -2.0]), np.array([0.3, 1.7, 2.1])


def residuals(x): return np.sin(x)
def jac(x): return np.diag(np.cos(x))
residuals_example = (np.array([0.5, -2.0]),)


@jacobian_of(pair, like=pair_example, points=1)
def slopes(x, t): return pair_jac(x, t)


@hessian_of(quartic, seed=3, points=0)
def bent(x, k): return hess_quartic(x, k)


@hvp_of(quartic, like=quartic_example)
def pushed(x, v, k): return 2 * hess_quartic(x, k) @ v
"""

WRONG = {"quartic_hess", "hvp_quartic", "jacobian_pair", "pushed"}


@pytest.mark.slow
def test_kinds_are_told_by_name_and_by_value(run: Any, folder: Path) -> None:
    """`jac` is a gradient beside one number, a Jacobian beside an array."""
    (folder / "curves.py").write_text(CURVES)
    ended = run("check", "--all", "curves.py", "--points", "0", "--json")
    answer = json.loads(ended.out)
    checks = {c["name"].partition(":")[2]: c for c in answer["checks"]}
    leaves = {name: check["report"]["leaves"][0]["path"] for name, check in checks.items()}
    assert leaves == {
        "quartic_jac": "x",
        "hess_quartic": "hess",
        "quartic_hess": "hess",
        "quartic_hess_prod": "x",
        "hvp_quartic": "x",
        "pair_jac": "jac",
        "jacobian_pair": "jac",
        "jac": "jac",
        "slopes": "jac",
        "bent": "hess",
        "pushed": "x",
    }
    assert {name for name, check in checks.items() if check["verdict"] != "agree"} == WRONG
    assert {checks[name]["verdict"] for name in WRONG} == {"disagree"}
    assert ended.code == 1
    assert [(left["name"], left["reason"].partition("; ")[0]) for left in answer["not_judged"]] == [
        (
            "curves.py:pair_grad",
            "pair returns an array of shape (2, 3), and a gradient is of one number",
        ),
        (
            "curves.py:pair_hess",
            "pair returns an array of shape (2, 3), and a Hessian is of one number",
        ),
    ]
    assert checks["slopes"]["report"]["points"] == 2
    words = shlex.split(checks["bent"]["report"]["reproduce"])
    assert words[-6:] == ["--kind", "hessian", "--points", "0", "--seed", "3"]
    for name in ("pair_jac", "quartic_hess", "hvp_quartic"):
        words = shlex.split(checks[name]["report"]["reproduce"])
        again = run(*words[words.index("check") :], "--json")
        assert json.loads(again.out)["headline"] == checks[name]["report"]["headline"]
        assert again.code == (name in WRONG)


def test_a_name_beside_two_functions_is_ambiguous(run: Any, folder: Path) -> None:
    (folder / "two.py").write_text(f"{CURVES}\ndef loss(x): return x @ x\n")
    names, left = found("two.py")
    assert "two.py:jac" not in names
    says = "loss and residuals are beside jac; @handgrad.gradient_of or @handgrad.jacobian_of"
    assert left["two.py:jac"].startswith(says)
    ended = run("check", "two.py:jac", "--kind=jacobian", "--loss=residuals", "--time", "--like=a")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "Error: --time is for gradients; expected none of it with --kind jacobian\n"
