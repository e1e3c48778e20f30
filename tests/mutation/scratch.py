"""The scratch copy of the checkout, and which test executes which of its lines."""

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.mutation.contexts import FOLDER, TEST

ROOT = Path(__file__).parents[2]
ROOMS = ("manual", "autodiff", "handgrad", "compare", "study", "benchmarks", "models")

_SETTINGS = """\
[run]
parallel = true
data_file = {folder}/data
context = ${{{test}-}}
include = {included}
disable_warnings = no-data-collected, module-not-measured, module-not-imported
"""


def copy_checkout(folder: Path) -> Path:
    """The checkout as it is now, new files included, in a clone that has its history."""
    tree = folder / "tree"
    if not tree.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "clone", "--quiet", "--shared", ROOT, tree], check=True)
    here, there = tracked(ROOT), tracked(tree)
    for name in there - here:
        (tree / name).unlink(missing_ok=True)
    for name in here:
        source, target = ROOT / name, tree / name
        if not target.exists() or source.read_bytes() != target.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    subprocess.run(["git", "add", "--all"], cwd=tree, check=True)
    compiled = tree / ".pytest_cache" / "d"
    if not compiled.exists() and (ROOT / ".pytest_cache" / "d").exists():
        shutil.copytree(ROOT / ".pytest_cache" / "d", compiled)
    return tree


def tracked(tree: Path) -> set[str]:
    """The files of a checkout that git knows, and the new ones that it does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True).stdout
    return {name for name in found.split("\0") if name and (tree / name).is_file()}


def python_files(tree: Path) -> list[str]:
    """The files whose functions may have a mutant."""
    return sorted(f for f in tracked(tree) if f.endswith(".py") and f.split("/")[0] in ROOMS)


def environment(tree: Path) -> dict[str, str]:
    """The environment of tests in the copy: its rooms are found before the installed ones."""
    return os.environ | {"PYTHONPATH": str(tree)}


def cover(folder: Path, processes: int, arguments: list[str]) -> None:
    """Run the tests once in the copy; store which test executes which lines of the rooms."""
    tree = copy_checkout(folder)
    measured = folder / "measured"
    shutil.rmtree(measured, ignore_errors=True)
    measured.mkdir()
    settings = folder / "coveragerc"
    included = ", ".join(f"{tree}/{room}/*" for room in ROOMS)
    settings.write_text(_SETTINGS.format(folder=measured, test=TEST, included=included))
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "tests.mutation.contexts"]
    subprocess.run(
        [*pytest, "-n", str(processes), "--dist", "loadfile", *arguments],
        cwd=tree,
        env=environment(tree) | {"COVERAGE_PROCESS_START": str(settings), FOLDER: str(measured)},
        check=False,
    )
    _store(folder, tree)


def compile_rooms(tree: Path) -> None:
    """Compile the rooms to files that are held against their source, so that no edit is missed."""
    command = [sys.executable, "-m", "compileall", "-qf", "--invalidation-mode", "checked-hash"]
    rooms = [room for room in ROOMS if (tree / room).exists()]
    subprocess.run([*command, *rooms], cwd=tree, check=True)


def _store(folder: Path, tree: Path) -> None:
    """Gather what the processes measured in one file."""
    tests: dict[str, dict[str, float | bool]] = {}
    for file in sorted((folder / "measured").glob("tests-*.json")):
        tests |= json.loads(file.read_text())
    number = {test: at for at, test in enumerate(tests)}
    lines: dict[str, dict[int, set[int]]] = {}
    for file in sorted((folder / "measured").glob("data.*")):
        data = importlib.import_module("coverage").CoverageData(str(file))
        data.read()
        for source in data.measured_files():
            of_file = lines.setdefault(str(Path(source).relative_to(tree)), {})
            for line, contexts in data.contexts_by_lineno(source).items():
                of_file.setdefault(line, set()).update(number[c] for c in contexts if c in number)
    stored = {f: {n: sorted(found) for n, found in at.items()} for f, at in lines.items()}
    command = ["git", "describe", "--always", "--dirty"]
    revision = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (folder / "coverage.json").write_text(
        json.dumps({"revision": revision.strip(), "tests": tests, "lines": stored})
    )
