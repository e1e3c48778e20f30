"""Edits of the kernel, which all that is certified rests on, each before the kernel's tests.

`cosmic-ray` makes them (`make mutants` installs it), one at a time, in a copy of the checkout: it
leaves an edit behind where it is stopped.
"""

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from evaluation.rows import Row
from tests.attack.cases import ROOT
from tests.attack.mutants.equivalent import EQUIVALENT

#: What is edited, and what has to notice.
KERNEL, TESTS = "handgrad/arithmetic", "tests/handgrad/arithmetic"

#: The seconds after which a run of the tests is ended, and between two looks at what is decided.
MOST, LOOK = 60.0, 10.0

CONFIG = f"""[cosmic-ray]
module-path = ["{KERNEL}"]
timeout = {MOST}
excluded-modules = []
test-command = "{sys.executable} -m pytest -q -x -p no:cacheprovider -p no:xdist {TESTS}"
[cosmic-ray.distributor]
name = "local"
"""

OPTIONS: tuple[click.Option, ...] = ()


def rows(wanted: Callable[[str], bool]) -> Iterator[list[Row]]:
    """Decide all edits, if one is wanted; they are stored as they are decided."""
    program = Path(sys.executable).with_name("cosmic-ray")
    if not program.exists():
        raise click.UsageError("cosmic-ray is not installed; `make mutants` does that")
    with TemporaryDirectory() as folder:
        copy = Path(folder, "copy")
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        Path(copy, "edits.toml").write_text(CONFIG, "utf-8")

        def run(*words: str) -> str:
            ended = subprocess.run([program, *words], cwd=copy, capture_output=True, text=True)
            if ended.returncode:
                raise click.ClickException(f"cosmic-ray {words[0]}: {ended.stderr[-500:]}")
            return ended.stdout

        run("init", "edits.toml", "edits.sqlite")
        before = {path.name: path.read_text("utf-8") for path in Path(ROOT, KERNEL).glob("*.py")}
        todo = {row["id"] for row in decided(run("dump", "edits.sqlite"), before)}
        if not any(map(wanted, todo)):
            return
        with subprocess.Popen(
            [program, "exec", "edits.toml", "edits.sqlite"], cwd=copy
        ) as deciding:
            try:
                while todo:
                    ended, dump = deciding.poll() is not None, run("dump", "edits.sqlite")
                    found = decided(dump, before)
                    if new := [r for r in found if "outcome" in r and r["id"] in todo]:
                        todo -= {row["id"] for row in new}
                        yield new
                    if ended:
                        break
                    time.sleep(LOOK)
            finally:
                deciding.terminate()


def decided(dump: str, sources: dict[str, str]) -> Iterator[Row]:
    """Yield a row for each edit that `cosmic-ray dump` shows; with its outcome, if it has one."""
    seen: Counter[str] = Counter()
    for line in dump.splitlines():
        item, result = json.loads(line)
        (edit,) = item["mutations"]
        module = Path(edit["module_path"]).name
        old = sources[module].splitlines()[edit["start_pos"][0] - 1].strip()
        what = edit["operator_name"].removeprefix("core/")
        name = f"{module}: {old}: {what}"
        seen[name] += 1
        row: Row = {"id": f"{name} {seen[name]}"}
        if result is not None:
            row["outcome"] = result["test_outcome"]
            if row["outcome"] == "survived":
                row["says"] = because(row) or "no test notices"
        yield row


def place(row: Row) -> tuple[str, str]:
    """Return the module and the line that are edited."""
    module, _, edit = row["id"].partition(": ")
    return module, edit.rpartition(": ")[0]


def because(row: Row) -> str | None:
    """Return why an edit changes nothing that anybody could see; None if it is not known to."""
    return next((why for why, lines in EQUIVALENT.items() if place(row)[1] in lines), None)


def figures(stored: list[Row]) -> dict[str, Any]:
    """Return what the document shows: how each module's edits ended."""
    modules = []
    for module in dict.fromkeys(place(row)[0] for row in stored):
        of = [row for row in stored if place(row)[0] == module]
        left = [row for row in of if row["outcome"] == "survived"]
        counts = {"edits": len(of), "killed": len(of) - len(left)}
        counts["equivalent"] = sum(because(row) is not None for row in left)
        modules.append({"name": module} | counts | {"left": len(left) - counts["equivalent"]})
    return {"modules": modules, "edits": len(stored)}
