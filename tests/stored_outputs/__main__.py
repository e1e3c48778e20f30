"""What the project prints, stored before a change and compared with after it.

    git worktree add ../before 6031130
    python tests/stored_outputs ../before before.json
    python tests/stored_outputs . after.json
    python tests/stored_outputs --diff before.json after.json

Stored are exit code, standard output, standard error and files of the commands in commands.txt,
and the reports of reports.py in every form that they can be read in. `--diff` prints what differs,
entry by entry, and ends with 1 if anything does. A capture takes about four minutes of processor
time and writes nothing into the tree, which is copied first. It needs nothing from the tree but
commands and public names of `handgrad`: the gradients of the reports are those of commit
`SUBJECTS`, whatever has become of them since, so that what is judged stays the same, down to the
numbers of lines.

Each group of commands runs in one process, since loading JAX takes longer than most of them. Its
clocks do not run: any two of their readings are `Reading.APART` from each other. So times and rates
are the same in every run, and nothing ends early because the machine is busy. Apart from this, only
the path of the copy is replaced. Both trees are run by the Python that runs this file, whose
packages are thus the same for both.
"""

import argparse
import contextlib
import difflib
import hashlib
import io
import itertools
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent

#: The commit whose models are judged, where they are there, and what must not be found in the tree.
SUBJECTS = "6031130"
FOLDERS = {
    "tests/handgrad": "subjects",
    "benchmarks/checkers/subject.py": "subjects/subject.py",
}
IMPORTS = {
    "tests.handgrad": "subjects",
    "benchmarks.checkers.subject": "subjects.subject",
    "from handgrad.report import": "from handgrad import",
    "from handgrad.steps import": "from handgrad import",
    "from handgrad.referee import balls\n": "",
}


class Reading(float):
    """What a clock of a capture shows: any two readings are equally far apart."""

    APART = 1e-3

    def __sub__(self, other: float) -> float:
        return self.APART if isinstance(other, Reading) else float(self) - other


def groups() -> dict[str, list[str]]:
    """The command lines of each group, braces expanded."""
    text = (HERE / "commands.txt").read_text("utf-8").replace("\\\n", "")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if heading := re.fullmatch(r"\[(\w+)\]", line):
            found[heading[1]] = []
        elif line and not line.startswith("#"):
            parts = [part.split("|") for part in re.split(r"[{}]", line)]
            lines = ("".join(chosen).strip() for chosen in itertools.product(*parts))
            found[list(found)[-1]].extend(lines)
    return found


def ran(line: str) -> dict[str, Any]:
    """A command's exit code, what it printed, and the files it wrote."""
    program, *arguments = shlex.split(line)
    before = _files()
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2)]
    argv, sys.argv = sys.argv, [program, *arguments]
    code: Any = 0
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        try:
            if program.endswith(".py"):
                runpy.run_path(program, run_name="__main__")
            else:
                runpy.run_module(program, run_name="__main__", alter_sys=True)
        except SystemExit as ending:
            code = ending.code
        except BaseException:
            code = traceback.format_exc()
    sys.argv = argv
    out, err = (stream.buffer.getvalue().decode() for stream in streams)  # type: ignore[union-attr]
    after = _files()
    written = {name: _shown(name) for name in after if after[name] != before.get(name)}
    return {"code": code, "stdout": out, "stderr": err, "files": written}


def _files() -> dict[str, tuple[int, int]]:
    """Where the working folder's files are, and when they were written."""
    found = (
        path for path in Path().rglob("*") if path.is_file() and "__pycache__" not in str(path)
    )
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(found)}


def _shown(name: str) -> str:
    """The text of a file, or the digest of what is no text; what is embedded in a text as well."""
    data = Path(name).read_bytes()
    try:
        return re.sub(r"(?<=base64,)[\w+/=]+", lambda m: _digest(m[0].encode()), data.decode())
    except UnicodeDecodeError:
        return _digest(data)


def _digest(data: bytes) -> str:
    return f"sha256 {hashlib.sha256(data).hexdigest()}"


def work(group: str, tree: Path, out: Path) -> None:
    """Run a group in this process, in its folder, and store what it printed."""
    import multiprocessing.connection  # noqa: F401 (takes its clock before ours is set)
    import queue  # noqa: F401
    import time

    for clock in ("perf_counter", "process_time", "monotonic", "thread_time"):
        setattr(time, clock, lambda: Reading())
    sys.path[0] = str(tree)
    entries: dict[str, Any] = {}
    if group == "reports":
        found = runpy.run_path(str(HERE / "reports.py"))["reports"]()
    else:
        found = {line: partial(ran, line) for line in groups()[group]}
    for name, make in found.items():
        began = os.times().user
        entries[name] = make()
        print(f"{os.times().user - began:6.2f} s {name}", file=sys.stderr)
    out.write_text(json.dumps(entries))


def capture(tree: Path, names: list[str], cache: Path) -> dict[str, Any]:
    """Everything that is stored of a tree."""
    with tempfile.TemporaryDirectory() as folder:

        def group(name: str) -> dict[str, Any]:
            room = Path(folder, name)
            skip = shutil.ignore_patterns(".git", ".venv", ".pytest_cache", ".hypothesis")
            shutil.copytree(tree, room, ignore=skip)
            shutil.copytree(HERE / "files", room, dirs_exist_ok=True)
            (room / "broken.py").write_text("import nowhere\n")
            if name == "reports":
                _extract(room)
            out = Path(folder, f"{name}.json")
            environment = {
                "COLUMNS": "80",
                "JAX_NUM_CPU_DEVICES": "1",
                "JAX_COMPILATION_CACHE_DIR": str(cache),
                "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            }
            subprocess.run(
                [sys.executable, HERE, "--group", name, room, out],
                cwd=room,
                env=os.environ | environment,
                check=True,
            )
            return json.loads(out.read_text().replace(str(room), "TREE"))

        with ThreadPoolExecutor(2) as pool:
            return dict(zip(names, pool.map(group, names), strict=True))


def _extract(room: Path) -> None:
    """Lay the models of `SUBJECTS` into a folder, as a package that needs nothing of the tree."""
    archive = subprocess.run(
        ["git", "archive", SUBJECTS, *FOLDERS],
        cwd=HERE.parents[1],
        check=True,
        capture_output=True,
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(room / "archive", filter="data")
    for old, new in FOLDERS.items():
        (room / "archive" / old).rename(room / new)
    for file in (room / "subjects").rglob("*.py"):
        text = file.read_text()
        for old, new in IMPORTS.items():
            text = text.replace(old, new)
        file.write_text(text)


def differences(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """What differs between two captures, entry by entry, as unified diffs."""
    for group in dict.fromkeys([*before, *after]):
        one, other = before.get(group, {}), after.get(group, {})
        for name in dict.fromkeys([*one, *other]):
            was, now = _lines(one.get(name)), _lines(other.get(name))
            if was != now:
                yield f"=== {group}: {name}"
                yield from itertools.islice(
                    difflib.unified_diff(was, now, lineterm="", n=1), 2, None
                )


def _lines(entry: Any, path: str = "") -> list[str]:
    """An entry line by line, each with the path to it; long ones are split where they may be."""
    if isinstance(entry, dict):
        return [line for key, value in entry.items() for line in _lines(value, f"{path} {key}")]
    if isinstance(entry, list):
        return [line for at, value in enumerate(entry) for line in _lines(value, f"{path} {at}")]
    lines = str(entry).splitlines()
    pieces = (re.split(r"(?<=[,;>}])", line) if len(line) > 200 else [line] for line in lines)
    return [f"{path}: {piece}" for piece in itertools.chain(*pieces)] or [f"{path}:"]


def main() -> None:
    """Store what a tree prints, or compare what two have printed."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n\n")[0], usage="%(prog)s TREE OUT | --diff A B"
    )
    parser.add_argument("one", type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument("--diff", action="store_true", help="Compare two files.")
    parser.add_argument("--only", action="append", help="A group; repeatable.")
    parser.add_argument("--group", help=argparse.SUPPRESS)
    given = parser.parse_args()
    one, other = given.one.resolve(), given.other.resolve()
    if given.group:
        work(given.group, one, other)
    elif given.diff:
        found = list(differences(*(json.loads(path.read_text()) for path in (one, other))))
        print("\n".join(found) or "nothing differs")
        sys.exit(bool(found))
    else:
        names = given.only or ["reports", *groups()]
        stored = capture(one, names, HERE.parents[1] / ".pytest_cache" / "stored-outputs")
        other.write_text(json.dumps(stored, indent=1, ensure_ascii=False))
        print(f"{sum(map(len, stored.values()))} entries: {other}")


if __name__ == "__main__":
    main()
