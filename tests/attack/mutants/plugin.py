"""A pytest plugin that decides edits: each in a fork, against the tests that execute its lines.

All is imported and collected once. JAX may be forked for as long as it has computed nothing: a
module that computes on import is left out. Nothing is printed but the lines that the command reads.
"""

import json
import os
import pickle
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from _pytest.runner import runtestprotocol

from tests.attack.mutants.edits import (
    ROOMS,
    ROOT,
    LostError,
    Mutant,
    locate,
    python_files,
    statement,
)
from tests.attack.mutants.memory import forked, give_code

#: Seconds of tests, by what they took when their lines were noted, for an edit.
TESTS = 60.0

#: Forks that note lines side by side; after so many tests they store what they have.
PROCESSES, TOGETHER = 2, 50


class Tried(NamedTuple):
    """How a test ended without an edit: the lines of the rooms that it executed, seconds."""

    passed: bool
    seconds: float
    lines: frozenset[tuple[str, int]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say what is decided, and where lines are kept."""
    parser.addoption("--edits", type=Path, help="JSON: names, and edits as of `Mutant`.")
    parser.addoption("--lines", type=Path, help="A folder: which test executes which lines.")
    parser.addoption("--noting", type=float, default=float("inf"), help="Seconds to note lines.")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[object]:
    """Collect tests of modules that do not compute on import."""
    from jax._src import xla_bridge

    def refuse() -> None:
        raise RuntimeError("computes with JAX on import: it is left out")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xla_bridge, "backends", refuse)
        return (yield)


def pytest_runtestloop(session: pytest.Session) -> bool:
    """Note lines, then decide each edit, and print it."""
    # Made before the forks, so that they share it; pytest offers it to fixtures alone.
    session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    lines: Path = session.config.option.lines
    lines.mkdir(parents=True, exist_ok=True)
    items = {item.nodeid: item for item in session.items}
    _note_lines(items, lines, time.monotonic() + session.config.option.noting)
    judge = _Judge(items, {name: of for name, of in _noted(lines).items() if name in items})
    for name, edit in json.loads(session.config.option.edits.read_text("utf-8")).items():
        print(json.dumps({"id": name} | judge.decide(Mutant(**edit))), flush=True)
    session.testsfailed = 0  # the modules that are left out
    return True


def _fails(item: pytest.Item, following: pytest.Item | None) -> bool:
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def _run(items: Iterable[pytest.Item]) -> Iterator[tuple[str, bool]]:
    """Run tests one after the other; yield each one's name before, and then whether it failed."""
    items = list(items)
    for item, following in zip(items, [*items[1:], None], strict=True):
        yield item.nodeid, False
        if _fails(item, following):
            yield item.nodeid, True


def _noted(folder: Path) -> dict[str, Tried]:
    stored = [pickle.loads(file.read_bytes()) for file in folder.glob("*.pickle")]
    return {name: Tried(*of) for part in stored for name, of in part.items()}


def _note_lines(items: dict[str, pytest.Item], folder: Path, until: float) -> None:
    """Run what has not been run yet, in forks of some tests each, which store what they found."""
    known = _noted(folder)
    left = [item for name, item in items.items() if name not in known]
    parts = [left[k : k + TOGETHER] for k in range(0, len(left), TOGETHER)]
    running = 0
    while parts or running:
        if parts and running < PROCESSES and time.monotonic() < until:
            if not os.fork():
                _note(parts[0], folder)
            parts, running = parts[1:], running + 1
        elif running:
            os.wait()
            running -= 1
        else:
            break


def _note(items: list[pytest.Item], folder: Path) -> None:
    """Run tests, note which lines each executes, and end the process."""
    # Python has it from 3.12 on, and types are checked for 3.11.
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
    executed: set[tuple[str, int]] = set()
    rooms = tuple(f"{ROOT}/{room}/" for room in ROOMS)

    def note(code: Any, line: int) -> Any:
        if code.co_filename.startswith(rooms):
            executed.add((code.co_filename.removeprefix(f"{ROOT}/"), line))
        return monitoring.DISABLE

    tool = monitoring.COVERAGE_ID
    monitoring.use_tool_id(tool, "lines")
    monitoring.register_callback(tool, monitoring.events.LINE, note)
    monitoring.set_events(tool, monitoring.events.LINE)
    found: dict[str, tuple[Any, ...]] = {}
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for output in (1, 2):
        os.dup2(nowhere, output)
    try:
        for item, following in zip(items, [*items[1:], None], strict=True):
            executed.clear()
            monitoring.restart_events()
            start = time.process_time()
            failed = _fails(item, following)
            found[item.nodeid] = not failed, time.process_time() - start, frozenset(executed)
    finally:
        (folder / f"{os.getpid()}-{time.time_ns()}.pickle").write_bytes(pickle.dumps(found))
        os._exit(0)


class _Judge:
    """The tests, and which lines they execute."""

    def __init__(self, items: dict[str, pytest.Item], noted: dict[str, Tried]):
        self.items = items
        self.noted = {name: of for name, of in noted.items() if of.passed}
        self.at: dict[tuple[str, int], set[str]] = defaultdict(set)
        for name, of in self.noted.items():
            for line in of.lines:
                self.at[line].add(name)
        self.files = python_files()

    def decide(self, edit: Mutant) -> dict[str, Any]:
        """What becomes of an edit, where it is, by which test, and in how many seconds."""
        start = time.monotonic()
        try:
            file, line, new = locate(edit, ROOT, self.files)
        except LostError as lost:
            return {"outcome": "lost", "says": str(lost)}
        old = (ROOT / file).read_text("utf-8")
        tests = self._tests(file, statement(old, line))
        found = {"outcome": "survived" if tests else "not covered", "says": ""}
        while tests:
            said = self._killer(tests, str(ROOT / file), old, new)
            if said is None:
                break
            test, outcome = said
            if forked(lambda _, test=test: _check(self.items[test]), 2 * TESTS) == ["ended"]:
                found = {"outcome": outcome, "says": test}
                break
            tests.remove(test)  # it fails by itself in a fork of its own
        return found | {"at": f"{file}:{line}", "took": round(time.monotonic() - start, 1)}

    def _killer(self, tests: list[str], path: str, old: str, new: str) -> tuple[str, str] | None:
        """The test that fails with the edit, or that did not end, and which of these."""

        def work(say: Any) -> None:
            if not give_code(path, old, new):
                return
            for name, failed in _run(self.items[test] for test in tests):
                say(f"{'failed' if failed else 'begun'} {name}")
                if failed:
                    return

        said = forked(work, 3 * TESTS)
        if not (tried := [line for line in said if line != "ended"]):
            return None
        how, _, name = tried[-1].partition(" ")
        if how == "failed":
            return name, "killed"
        return None if said[-1] == "ended" else (name, "timeout")

    def _tests(self, file: str, lines: range) -> list[str]:
        """The tests of some lines: one of each function in turns, the quick ones first."""
        names = {name for line in lines for name in self.at.get((file, line), ())}
        counts, turns = Counter[str](), dict[str, int]()
        quick_first = sorted(names, key=lambda name: (self.noted[name].seconds, name))
        for name in quick_first:
            turns[name] = counts[_kind(name)]
            counts[_kind(name)] += 1
        spent, chosen = 0.0, list[str]()
        for name in sorted(quick_first, key=turns.__getitem__):
            spent += self.noted[name].seconds
            if spent <= TESTS or not chosen:
                chosen.append(name)
        return chosen


def _kind(name: str) -> str:
    """A test's function, or the file of rows and the first word of a case of the corpus."""
    function, _, case = name.partition("[")
    return f"{function}[{case.partition(': ')[0].partition(' ')[0]}"


def _check(item: pytest.Item) -> None:
    if _fails(item, None):
        os._exit(0)  # before it is said that it ended
