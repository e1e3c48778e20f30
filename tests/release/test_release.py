"""There is no release before everything agrees, and none that nobody has confirmed."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.release import __main__ as release
from tests.release.__main__ import NotReadyError, build, date, ready

TODAY = "2031-05-07"


def git(root: Path, *words: str) -> None:
    person = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
    subprocess.run(["git", *person, *words], cwd=root, check=True, capture_output=True)


@pytest.fixture
def dated(tmp_path: Path) -> Path:
    """A repository that is ready."""
    for name, text in {
        "handgrad/__init__.py": '"""A package."""\n\n__version__ = "1.2.3"\n',
        "CHANGELOG.md": "# Changes\n\n## 1.2.3 (not released)\n\n- New.\n\n## 1.2.2 (2030-01-01)\n",
        "CITATION.cff": "title: x\nversion: 1.2.2\ndate-released: 2030-01-01\nlicense: MIT\n",
        "pyproject.toml": (release.ROOT / "pyproject.toml").read_text(encoding="utf-8"),
        "README.md": "# handgrad\n",
        "LICENSE": "MIT\n",
        ".gitignore": "dist/\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    date(tmp_path, TODAY)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "Version 1.2.3")
    git(tmp_path, "tag", "v1.2.3")
    return tmp_path


def test_the_date_is_written_and_both_files_are_built_anew(dated: Path) -> None:
    assert f"\n## 1.2.3 ({TODAY})\n\n- New." in (dated / "CHANGELOG.md").read_text()
    assert f"\nversion: 1.2.3\ndate-released: {TODAY}\n" in (dated / "CITATION.cff").read_text()
    with pytest.raises(NotReadyError, match=rf"^CHANGELOG.md begins with '## 1.2.3 \({TODAY}\)'"):
        date(dated, TODAY)
    (dated / "dist" / "1.2.3").mkdir(parents=True)
    (dated / "dist" / "1.2.3" / "handgrad-1.2.2.tar.gz").write_text("old")
    assert {path.name for path in build(dated, "1.2.3")} == {
        path.name for path in (dated / "dist" / "1.2.3").iterdir() if path.name != ".gitignore"
    }
    assert ready(dated) == "1.2.3", "what is built is ignored"


@pytest.mark.parametrize(
    ("spoiled", "says"),
    [
        ("git tag -d v1.2.3", "this commit has no tag v1.2.3"),
        ("git commit -q --allow-empty -m more", "this commit has no tag v1.2.3"),
        (("README.md", "handgrad", "mine"), "not committed: M README.md"),
        (("handgrad/__init__.py", "1.2.3", "1.3.0"), "not with 1.3.0 and its date"),
        (("handgrad/__init__.py", "1.2.3", "1.2.3.dev0"), "handgrad/__init__.py has no line like"),
        (
            ("CITATION.cff", TODAY, "2031-05-08"),
            "CITATION.cff has version and date [['1.2.3'], ['2031-05-08']], not",
        ),
        (
            ("CHANGELOG.md", TODAY, "not released"),
            "begins with '## 1.2.3 (not released)', not with 1.2.3 and its date",
        ),
    ],
)
def test_what_does_not_agree_is_refused(dated: Path, spoiled: Any, says: str) -> None:
    if isinstance(spoiled, str):
        git(dated, *spoiled.split()[1:])
    else:
        name, old, new = spoiled
        text = (dated / name).read_text()
        (dated / name).write_text(text.replace(old, new))
    with pytest.raises(NotReadyError) as error:
        ready(dated)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("word", "typed", "code"),
    [("check", None, 0), ("publish", "", 1), ("publish", "yes", 1), ("publish", "1.2.3", 0)],
)
def test_only_what_was_confirmed_is_published(
    dated: Path, monkeypatch: pytest.MonkeyPatch, word: str, typed: str | None, code: int
) -> None:
    ran: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        return subprocess.CompletedProcess(command, 0)

    def ask(_: str) -> str:
        assert typed is not None, "nobody is asked"
        return typed

    for name, instead in {
        "ROOT": dated,
        "tested": lambda _: None,
        "ready": lambda _: "1.2.3",
        "build": lambda root, _: [root / "handgrad.whl"],
    }.items():
        monkeypatch.setattr(release, name, instead)
    monkeypatch.setattr(release.subprocess, "run", run)
    assert release.main([word], ask) == code
    assert ran == ([["uv", "publish", "handgrad.whl"]] if typed == "1.2.3" else [])
