"""The tool itself, on a checkout of one function."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.mutation.__main__ import main
from tests.mutation.decide import Judge
from tests.mutation.edits import LostError, Mutant, functions_of, locate
from tests.mutation.sample import load

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


def test_what_was_killed_and_is_no_longer_is_listed(tmp_path: Path) -> None:
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    names = list(load())[:3]

    def write(file: Path, *statuses: str) -> None:
        rows = [{"id": n, "status": s} for n, s in zip(names, statuses, strict=True)]
        file.write_text("\n".join(json.dumps(row) for row in rows))

    write(old, "killed", "timeout", "survived")
    write(new, "timeout", "killed", "survived")
    same = CliRunner().invoke(main, ["compare", str(old), str(new)])
    assert (same.exit_code, same.output[:26]) == (0, "0 were killed and are not;")
    write(new, "killed", "survived", "killed")
    fewer = CliRunner().invoke(main, ["compare", str(old), str(new)])
    assert fewer.exit_code == 1
    assert f"{names[1]} survived: " in fewer.output
    assert "1 were killed and are not" in fewer.output


@pytest.mark.slow
def test_a_mutant_is_killed_by_the_test_that_sees_it_and_taken_back(
    tree: Path, request: pytest.FixtureRequest
) -> None:
    (tree / "tests").mkdir()
    (tree / "tests" / "test_a.py").write_text(
        "from manual.a import half\n"
        "def test_broken(): assert half(1, 2) == 3\n"
        "def test_zero(): assert half(0, 1) == 0\n"
        "def test_half(): assert half(1, 2) == 0.5\n"
    )
    (tree / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    subprocess.run(["git", "init", "--quiet"], cwd=tree, check=True)
    subprocess.run(["git", "add", "--all"], cwd=tree, check=True)
    (tree / "manual" / "a.py").write_text("left behind")
    tests = [f"tests/test_a.py::test_{name}" for name in ("zero", "broken", "half")]
    measured = {
        "revision": "0",
        "tests": {test: {"passed": True, "seconds": at / 10} for at, test in enumerate(tests)},
        "lines": {"manual/a.py": {"3": [0, 1, 2]}},
    }
    (tree.parent / "coverage.json").write_text(json.dumps(measured))
    judge = Judge(tree.parent)
    request.addfinalizer(judge.close)
    found = judge.decide(MUTANT)
    assert (found["status"], found["by"]) == ("killed", "tests/test_a.py::test_half")
    assert (tree / "manual" / "a.py").read_text() == SOURCE
    same = judge.decide(Mutant(MUTANT.file, "half", MUTANT.old, "return x * 0.5"))
    assert same["status"] == "survived"
    endless = Mutant(MUTANT.file, "Other.half", MUTANT.old, "return None")
    assert judge.decide(endless)["status"] == "not covered"
