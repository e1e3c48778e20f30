"""Each mutant in the scratch copy against the tests that execute its lines, until one fails."""

import ast
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from tests.mutation.edits import LostError, Mutant, locate
from tests.mutation.scratch import environment, python_files

#: Seconds of tests, by what they took under coverage, for a mutant: at first, and in all.
FIRST, ALL = 5.0, 45.0

#: From how many files at first, since each has to be imported.
FILES = 3

KILLED = ("killed", "timeout")


class Judge:
    """The copy, what its tests execute, and pytest on some of them."""

    def __init__(self, folder: Path):
        self.folder, self.tree = folder, folder / "tree"
        # What an interrupted run left there is taken back.
        subprocess.run(["git", "checkout", "--quiet", "--", "."], cwd=self.tree, check=True)
        stored = json.loads((folder / "coverage.json").read_text())
        self.revision: str = stored["revision"]
        self.seconds: dict[str, float] = {}
        for test, noted in stored["tests"].items():
            if noted["passed"]:
                unit = _unit(test)
                self.seconds[unit] = self.seconds.get(unit, 0.0) + noted["seconds"]
        names = [_unit(test) for test in stored["tests"]]
        self.lines: dict[str, dict[int, set[str]]] = {
            file: {int(at): {names[n] for n in numbers} for at, numbers in lines.items()}
            for file, lines in stored["lines"].items()
        }
        self._worker: subprocess.Popen[str] | None = None
        self._asked = 0
        self.files = python_files(self.tree)

    def decide(self, mutant: Mutant, killer: str | None = None) -> dict[str, Any]:
        """What becomes of a mutant; the test that killed it before goes first."""
        start = time.monotonic()
        try:
            file, line, text = locate(mutant, self.tree, self.files)
        except LostError as lost:
            return {"status": "lost", "why": str(lost)}
        path = self.tree / file
        groups = self._groups(file, _statement(path.read_text("utf-8"), line), killer)
        killed = (self._killed(path, text, group) for group in groups)
        otherwise = {"status": "survived" if groups else "not covered"}
        found = next((found for found in killed if found is not None), otherwise)
        return found | {"at": f"{file}:{line}", "took": round(time.monotonic() - start, 1)}

    def _killed(self, path: Path, text: str, tests: list[str]) -> dict[str, str] | None:
        """How the tests end with the mutant, if they end otherwise than without it."""
        for _ in range(5):
            if not (tests := [test for test in tests if test in self.seconds]):
                break
            original = path.read_bytes()
            try:
                path.write_text(text, "utf-8")
                found = self._ended(tests)
            finally:
                path.write_bytes(original)
            if found is None:
                return None
            failed = [test] if (test := found.get("by", "")) in self.seconds else tests
            if self._ended(failed) is None:
                return found
            self.close()  # The process remembers an earlier mutant, or the test fails by itself.
            if self._ended(failed) is not None:
                for test in failed:
                    del self.seconds[test]
        return None

    def _groups(self, file: str, lines: range, killer: str | None) -> list[list[str]]:
        """The tests for some lines, in groups.

        Those of a file of its name come first, then those of its own room, the short ones first.
        """
        covered = self.lines.get(file, {})
        tests = {t for at in lines for t in covered.get(at, ())} & self.seconds.keys()
        room = file.split("/")[0]

        def order(test: str) -> tuple[bool, bool, float]:
            named = Path(test.split("::")[0]).stem == f"test_{Path(file).stem}"
            return not named, not test.startswith((f"tests/{room}/", room)), self.seconds[test]

        # A line run on import, or in a fixture of a whole file, is under one test's name only.
        homes = {test.split("::")[0] for test in tests}
        beside = {t for t in self.seconds if t.split("::")[0] in homes}
        beside |= {t for found in covered.values() for t in found} & self.seconds.keys()
        beside = beside - tests if any(at in covered for at in lines) else set()
        first: list[str] = []
        then: list[str] = []
        opened: set[str] = set()
        spent = 0.0
        for test in sorted(tests, key=order) + sorted(beside, key=order):
            spent += self.seconds[test]
            home = test.split("::")[0]
            if spent <= FIRST and (home in opened or len(opened) < FILES):
                opened.add(home)
                first.append(test)
            elif spent <= ALL or not (first or then):
                then.append(test)
        known = [killer] if killer in self.seconds else []
        return [group for group in (known, first, then) if group]

    def _ended(self, tests: list[str]) -> dict[str, str] | None:
        """How the tests end, unless they pass."""
        answer = self._pytest(tests)
        if answer is None:
            return {"status": "timeout"}
        if answer["code"] == 0:
            return None
        return {"status": "killed", "by": answer["failed"] or f"pytest's code {answer['code']}"}

    def _pytest(self, tests: list[str]) -> dict[str, Any] | None:
        """Run tests of the copy until one fails; None where the process had to be ended."""
        listed = self.folder / "tests.txt"
        listed.write_text("\n".join(tests), "utf-8")
        limit = 60 + 4 * round(sum(self.seconds.get(test, 0.0) for test in tests))
        if self._worker is None or self._worker.poll() is not None or self._asked >= 50:
            self.close()
            self._asked = 0
            self._worker = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("worker.py")],
                cwd=self.tree,
                env=environment(self.tree) | {"PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        self._asked += 1
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        alarm = threading.Timer(30 * limit, os.killpg, (self._worker.pid, signal.SIGKILL))
        alarm.start()
        try:
            asked = {"tests": str(listed), "limit": limit}
            self._worker.stdin.write(json.dumps(asked) + "\n")
            self._worker.stdin.flush()
            answer = self._worker.stdout.readline()
        finally:
            alarm.cancel()
        return json.loads(answer) if answer else None

    def close(self) -> None:
        """End the process that runs the tests, and what it started."""
        if self._worker is not None:
            if self._worker.poll() is None:
                os.killpg(self._worker.pid, signal.SIGKILL)
            self._worker.communicate()
        self._worker = None


def _unit(test: str) -> str:
    """What can be run by itself: a test, but a document as a whole, since its blocks follow on."""
    file = test.split("::")[0]
    return test if file.endswith(".py") else file


def _statement(text: str, line: int) -> range:
    """The lines of the statement at a line; of one with a body, those before the body."""
    found = range(line, line + 1)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or line):
            body = getattr(node, "body", None)
            end = body[0].lineno if body else (node.end_lineno or line) + 1
            if line < end or end == node.lineno:
                found = range(node.lineno, max(end, node.lineno + 1))
    return found
