"""Edits: how they are made, found, tried in memory, and decided by the tests."""

import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.attack.mutants.edits import ROOT, LostError, Mutant, functions_of, locate
from tests.attack.mutants.memory import give_code
from tests.attack.mutants.sample import drawn

SOURCE = '''\
def half(x, y):
    """Half of x. Not of x / 3."""
    return x / 2


class Other:
    def half(self, x, y):
        return x / 2
'''
MUTANT = Mutant("manual/a.py", "half", "return x / 2", "return x * 2")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "manual").mkdir(parents=True)
    (tree / "manual" / "__init__.py").write_text("")
    (tree / "manual" / "a.py").write_text(SOURCE)
    return tree


def test_edits_of_one_place(tree: Path) -> None:
    function, _ = functions_of(tree, "manual/a.py")
    found = [(kind, m.old, m.new) for kind, m in function.edits()]
    assert found == [
        ("return", "return x / 2", "return None"),
        ("operator", "return x / 2", "return x * 2"),
        ("other name", "return x / 2", "return y / 2"),
        ("constant", "return x / 2", "return x / 3"),
    ]


def test_a_mutant_is_found_where_its_function_has_moved(tree: Path) -> None:
    here = SOURCE.replace("/ 2", "* 2", 1)
    assert locate(MUTANT, tree, []) == ("manual/a.py", 3, here)
    (tree / "judge").mkdir()
    shutil.move(tree / "manual" / "a.py", tree / "judge" / "b.py")
    assert locate(MUTANT, tree, ["judge/b.py"]) == ("judge/b.py", 3, here)
    with pytest.raises(LostError, match=r"half of manual/a.py has no 'return x / 2'"):
        locate(MUTANT, tree, [])


def test_a_text_that_stands_twice_is_not_guessed(tree: Path) -> None:
    renamed = Mutant("manual/a.py", "halved", MUTANT.old, MUTANT.new)
    with pytest.raises(LostError, match="at 2 places"):
        locate(renamed, tree, ["manual/a.py"])


@pytest.mark.slow
def test_a_sample_is_drawn_by_its_seed() -> None:
    few, more = drawn(3, 5), drawn(4, 5)
    assert list(few) == list(more)[:3]
    assert list(few) != list(drawn(3, 6))


def test_every_function_that_is_there_has_the_edit_and_no_other() -> None:
    text = (
        "def twice(f):\n"
        "    def both(x): return f(f(x))\n"
        "    return both\n"
        "@twice\n"
        "def half(x): return x / 2\n"
        "class Other:\n"
        "    def half(self, x): return x / 2\n"
    )
    module: Any = ModuleType("edited")
    exec(compile(text, "edited.py", "exec"), module.__dict__)
    other = module.Other()
    assert give_code("edited.py", text, text) == 0
    assert give_code("edited.py", text, text.replace("x / 2", "x * 2", 1)) == 1
    assert (module.half(1), other.half(1)) == (4, 0.5)
    assert give_code("edited.py", text, text.replace("f(f(x))", "f(x)")) == 2, (
        "the one around it too"
    )
    assert module.half(1) == 2


FORKS = """
from tests.attack.mutants.memory import forked

changed = []
assert forked(lambda say: (changed.append(1), say("one")), 5) == ["one", "ended"]
assert changed == []

def endless(say):
    say("begun")
    while True:
        pass

assert forked(endless, 1) == ["begun"]
assert forked(lambda say: [say("before"), 1 / 0], 5) == ["before"]
"""


def test_a_fork_says_what_it_found_and_that_it_ended() -> None:
    """In a process that has no other threads, as one has in which JAX computed."""
    subprocess.run([sys.executable, "-c", FORKS], cwd=ROOT, check=True)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="needs sys.monitoring")
def test_edits_are_decided_by_the_tests_that_execute_them(tmp_path: Path) -> None:
    def of(function: str, old: str, new: str) -> dict[str, str]:
        return asdict(Mutant("manual/losses.py", function, old, new))

    body = "return dloss * (2 / r.shape[0]) * r"
    edits = {
        "wrong": of("mse_backward", body, body.replace("2 /", "1 /")),
        "the same": of("mse_backward", body, body.replace("(2 / r", "(2.0 / r")),
        "gone": of("mse_backward", "return 77", "return 78"),
    }
    asked = tmp_path / "edits.json"
    asked.write_text(json.dumps(edits))
    command = [sys.executable, "-m", "pytest", "-s", "-p", "no:terminalreporter"]
    command += [
        "-p",
        "tests.attack.mutants.plugin",
        "--edits",
        asked,
        "--lines",
        tmp_path / "lines",
    ]
    said = subprocess.run(
        [*command, "tests/manual/test_pairs.py"], cwd=ROOT, capture_output=True, text=True
    )
    found = {row["id"]: row for row in map(json.loads, said.stdout.splitlines())}
    assert {name: row["outcome"] for name, row in found.items()} == {
        "wrong": "killed",
        "the same": "survived",
        "gone": "lost",
    }
    assert found["wrong"]["says"].startswith("tests/manual/test_pairs.py::")
