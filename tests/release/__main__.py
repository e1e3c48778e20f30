"""A release: its date is written, then all that has to agree is checked, and the files are built.

`make dated` and `make release`; RELEASING.md has the order. Nothing is published but by `make
release PUBLISH=1`, after the version has been typed in.
"""

import datetime
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.release.installing import ROOT, built

#: What a version that can be published looks like, in the package and in the changelog.
VERSION = re.compile(r'^__version__ = "(\d+\.\d+\.\d+)"$', re.MULTILINE)
SECTION = re.compile(r"^## (\S+) \((.+)\)$", re.MULTILINE)
NOT_YET = "not released"

#: The lines of CITATION.cff that say the same.
CITED = re.compile(r"^version: (.+)$", re.MULTILINE)
CITED_DATE = re.compile(r"^date-released: (.+)\n", re.MULTILINE)


class NotReadyError(Exception):
    """Why there can be no release; one line each."""


def _git(root: Path, *words: str) -> str:
    return subprocess.check_output(["git", *words], cwd=root, text=True).strip()


def _read(root: Path, name: str, pattern: re.Pattern[str]) -> re.Match[str]:
    if found := pattern.search((root / name).read_text(encoding="utf-8")):
        return found
    raise NotReadyError(f"{name} has no line like {pattern.pattern}")


def _version(root: Path) -> str:
    return _read(root, "handgrad/__init__.py", VERSION)[1]


def date(root: Path, today: str) -> None:
    """Write the date of the release into the changelog and CITATION.cff, of this version.

    Raises:
        NotReadyError: the changelog's newest section is not this version's, or has a date.
    """
    version, newest = _version(root), _read(root, "CHANGELOG.md", SECTION)
    if newest.groups() != (version, NOT_YET):
        raise NotReadyError(f"CHANGELOG.md begins with {newest[0]!r}, not {version} ({NOT_YET})")
    changelog = newest.string.replace(newest[0], f"## {version} ({today})", 1)
    (root / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    cited = CITED_DATE.sub("", _read(root, "CITATION.cff", CITED).string)
    dated = CITED.sub(f"version: {version}\ndate-released: {today}", cited)
    (root / "CITATION.cff").write_text(dated, encoding="utf-8")


def ready(root: Path) -> str:
    """Return the version to release.

    Raises:
        NotReadyError: files are changed, or tag, version, changelog and citation do not agree.
    """
    version, newest = _version(root), _read(root, "CHANGELOG.md", SECTION)
    wrong = []
    if changed := _git(root, "status", "--porcelain"):
        wrong.append(f"not committed: {' '.join(changed.split())}")
    if f"v{version}" not in _git(root, "tag", "--points-at", "HEAD").split():
        wrong.append(f"this commit has no tag v{version}")
    if newest[1] != version or not re.fullmatch(r"\d{4}-\d\d-\d\d", newest[2]):
        wrong.append(f"CHANGELOG.md begins with {newest[0]!r}, not with {version} and its date")
    cited = (root / "CITATION.cff").read_text(encoding="utf-8")
    said = [pattern.findall(cited) for pattern in (CITED, CITED_DATE)]
    if said != [[word] for word in newest.groups()]:
        wrong.append(f"CITATION.cff has version and date {said}, not what the changelog has")
    if wrong:
        raise NotReadyError("\n".join(wrong))
    return version


def build(root: Path, version: str) -> list[Path]:
    """Build the source and the wheel into a folder of their own, anew."""
    folder = root / "dist" / version
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return [built(kind, folder, root) for kind in ("sdist", "wheel")]


def tested(root: Path) -> None:
    """Run the tests of what is published, in empty environments as well."""
    test = ["-m", "pytest", "-q", "-n", "auto", "--dist", "load", "-m", "slow or not slow"]
    files = ["tests/release/test_wheels.py", "tests/test_project.py"]
    if subprocess.run([sys.executable, *test, *files], cwd=root, check=False).returncode:
        raise NotReadyError("the tests of the wheel and of the project fail")


def main(words: list[str], ask: Callable[[str], str] = input) -> int:
    """Do one of `date`, `check` and `publish`; return the exit code."""
    try:
        if words == ["date"]:
            date(ROOT, datetime.date.today().isoformat())
            print("CHANGELOG.md and CITATION.cff have the date; commit and tag them.")
            return 0
        version = ready(ROOT)
        tested(ROOT)
        files = [str(path.relative_to(ROOT)) for path in build(ROOT, version)]
        publish = ["uv", "publish", *files]
        if words != ["publish"]:
            print(f"Ready. To publish: make release PUBLISH=1, which runs: {' '.join(publish)}")
            return 0
        if ask(f"Type {version} to publish {' and '.join(files)}: ") != version:
            raise NotReadyError("nothing is published")
        return subprocess.run(publish, cwd=ROOT, check=False).returncode
    except NotReadyError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
