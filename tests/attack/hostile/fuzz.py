"""Mutated files, guided by the lines that they reach, before what reads them."""

import base64
import os
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

from evaluation.rows import Row
from tests.attack.cases import OverrunError, at_most, cost, described
from tests.attack.hostile.files import KINDS, REFUSALS, ROOMS
from tests.attack.hostile.limits import MEGABYTES, SECONDS

#: Longer inputs are thrown away, and more than so many are not kept.
LONGEST, MOST_KEPT = 40_000, 3000

#: What no data may cause, of the interpreter's audit events; `compile` is how NumPy reads a header.
FORBIDDEN = (
    *("exec", "os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "pickle.find_class"),
    *("socket.connect", "ctypes.dlopen", "os.remove", "shutil.rmtree"),
)


class Watch:
    """Notes the steps between lines of the project, and what data must not cause."""

    def __init__(self, folder: Path) -> None:
        # Whatever is compiled is kept as well, if that took long.
        kept = os.environ.get("JAX_COMPILATION_CACHE_DIR")
        self.folders, self.on = (str(folder), *([kept] if kept else [])), False
        self.edges: set[tuple[int, int, int]] = set()
        self.events: list[str] = []
        self._ours: dict[str, int] = {}
        sys.addaudithook(self._audit)

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event in FORBIDDEN:
            inside = event == "os.remove" and str(args[0]).startswith(self.folders)
            # Modules and templates of the project's own.
            ours = event == "exec" and getattr(args[0], "co_filename", "").startswith(ROOMS)
            if not inside and not ours:
                self.events.append(f"{event} {args[0]!r}"[:200])
        elif event == "open" and {*str(args[1])} & {*"wax+"} and args[1] is not None:
            inside = str(args[0]).startswith(self.folders)
            self.events += [] if inside else [f"open {args[0]!r} to write"]

    def trace(self, frame: FrameType, event: str, arg: Any) -> Any:  # noqa: ARG002 (Python's form)
        """Trace the calls of the project's functions, line by line."""
        name = frame.f_code.co_filename
        if (at := self._ours.get(name)) is None:
            at = self._ours[name] = len(self._ours) if name.startswith(ROOMS) else -1
        if at < 0:
            return None
        before, add = frame.f_lineno, self.edges.add

        def line(frame: FrameType, event: str, arg: Any) -> Any:  # noqa: ARG001 (Python's form)
            nonlocal before
            add((at, before, frame.f_lineno))
            before = frame.f_lineno
            return line

        return line


class Fuzzer:
    """One kind of file, and the inputs that reached something new."""

    def __init__(self, name: str, folder: Path, watch: Watch) -> None:
        self.name, self.kind, self.watch = name, KINDS[name], watch
        self.path = folder / f"input{self.kind.suffix}"
        self.kept = self.kind.seeds()
        self.known: set[tuple[int, int, int]] = set()
        for content in self.kept:
            self.path.write_bytes(content)
            self.kind.read(self.path)  # whatever is imported for it is imported now, unwatched
            outcome, says = self._read(content)
            assert outcome == "accepted", f"{name}: a valid one is {outcome}: {says}"
            self.known |= watch.edges

    def batch(self, count: int, rng: Random) -> Row:
        """Try so many inputs, and say what came of them."""
        outcomes: Counter[str] = Counter()
        slowest, more, found = 0.0, 0.0, []
        for _ in range(count):
            content = self._drawn(rng)
            began, memory = time.process_time(), cost()[1]  # what drawing takes is not the reader's
            outcome, says = self._read(content)
            seconds = time.process_time() - began
            more += (grown := cost()[1] - memory)
            if seconds > SECONDS or grown > MEGABYTES:
                outcome, says = "found", f"{says} {seconds:.1f} s, {grown:.0f} MB more"
            outcomes[outcome] += 1
            slowest = max(slowest, seconds)
            if outcome == "found" and len(found) < 5:
                found.append([says, base64.b64encode(content[:3000]).decode()])
            if not self.watch.edges <= self.known:
                self.known |= self.watch.edges
                if len(self.kept) < MOST_KEPT:
                    self.kept.append(content)
        return {
            "kind": self.name,
            "tried": count,
            **outcomes,
            "slowest": round(slowest, 3),
            "megabytes": round(more),
            "edges": len(self.known),
            "defects": found,
        }

    def _drawn(self, rng: Random) -> bytes:
        content, other = rng.choice(self.kept), rng.choice(self.kept)
        for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
            content = rng.choice(self.kind.mutations)(rng, content, other)
        return content[:LONGEST]

    def _read(self, content: bytes) -> tuple[str, str]:
        self.path.write_bytes(content)
        self.watch.edges, self.watch.events = set(), []
        try:
            with at_most(2 * SECONDS):
                self.watch.on = self.name != "module"  # whose code is meant to run
                sys.settrace(self.watch.trace)
                try:
                    self.kind.read(self.path)
                finally:
                    sys.settrace(None)
                    self.watch.on = False
            outcome, says = "accepted", ""
        except REFUSALS as error:
            says = getattr(error, "format_message", error.__str__)()
            outcome = "refused" if "\n" not in says and says.isprintable() else "found"
        except OverrunError as error:
            outcome, says = "found", str(error)
        except BaseException as error:  # what would be a traceback
            outcome, says = "found", described(error)
        if self.watch.events:
            outcome, says = "found", f"{says} {self.watch.events[0]}"
        if self.path.read_bytes() != content:
            outcome, says = "found", f"{says} what was read is another now"
        return outcome, says


def batches(count: int, seeds: dict[str, list[int]]) -> Iterator[Row]:
    """Try a batch by each seed of each kind, the kinds in turn, and yield its row."""
    # What a user would see as a warning is as unwelcome as a traceback.
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="error"):
        watch = Watch(Path(folder))
        fuzzers = {name: Fuzzer(name, Path(folder), watch) for name in seeds}
        for turn in zip_longest(*seeds.values()):
            for (name, fuzzer), seed in zip(fuzzers.items(), turn, strict=True):
                if seed is not None:
                    row = fuzzer.batch(count, Random(f"{name} {seed}"))
                    yield {"id": f"{name} {count} {seed}"} | row
