"""There is no release before everything agrees, and none that nobody has confirmed."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import release
from tests.release import NotReadyError, build, date, ready

TODAY = "2031-05-07"


def git(root: Path, *words: str) -> None:
    person = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
    subprocess.run(["git", *person, *words], cwd=root, check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository that is ready, but for its date."""
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
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "all")
    return tmp_path


@pytest.fixture
def dated(root: Path) -> Path:
    date(root, TODAY)
    git(root, "commit", "-qam", "Version 1.2.3")
    git(root, "tag", "v1.2.3")
    return root


def test_the_date_is_written_and_then_it_is_ready(dated: Path) -> None:
    assert ready(dated) == "1.2.3"
    assert f"\n## 1.2.3 ({TODAY})\n\n- New." in (dated / "CHANGELOG.md").read_text()
    assert f"\nversion: 1.2.3\ndate-released: {TODAY}\n" in (dated / "CITATION.cff").read_text()
    with pytest.raises(NotReadyError, match=rf"^CHANGELOG.md begins with '## 1.2.3 \({TODAY}\)'"):
        date(dated, TODAY)


def untagged(root: Path) -> None:
    git(root, "tag", "-d", "v1.2.3")


def tagged_before(root: Path) -> None:
    git(root, "commit", "-q", "--allow-empty", "-m", "more")


def another_file(root: Path) -> None:
    (root / "notes.txt").write_text("mine")


def another_version(root: Path) -> None:
    (root / "handgrad" / "__init__.py").write_text('__version__ = "1.3.0"\n')


def another_citation(root: Path) -> None:
    text = (root / "CITATION.cff").read_text()
    (root / "CITATION.cff").write_text(text.replace(TODAY, "2031-05-08"))


def without_a_date(root: Path) -> None:
    text = (root / "CHANGELOG.md").read_text()
    (root / "CHANGELOG.md").write_text(text.replace(TODAY, "not released"))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (untagged, "this commit has no tag v1.2.3"),
        (tagged_before, "this commit has no tag v1.2.3"),
        (another_file, "not committed: ?? notes.txt"),
        (another_version, "not with 1.3.0 and its date"),
        (
            another_citation,
            "CITATION.cff has version and date [['1.2.3'], ['2031-05-08']], not",
        ),
        (without_a_date, "begins with '## 1.2.3 (not released)', not with 1.2.3 and its date"),
    ],
)
def test_what_does_not_agree_is_refused(
    dated: Path, spoil: Callable[[Path], None], says: str
) -> None:
    spoil(dated)
    with pytest.raises(NotReadyError) as error:
        ready(dated)
    assert says in str(error.value)


def test_a_version_that_is_not_final_is_refused(dated: Path) -> None:
    (dated / "handgrad" / "__init__.py").write_text('__version__ = "1.2.3.dev0"\n')
    with pytest.raises(NotReadyError, match=r"^handgrad/__init__\.py has no line like"):
        ready(dated)


def test_both_files_are_built_anew(dated: Path) -> None:
    (dated / "dist" / "1.2.3").mkdir(parents=True)
    (dated / "dist" / "1.2.3" / "handgrad-1.2.2.tar.gz").write_text("old")
    assert {path.name for path in build(dated, "1.2.3")} == {
        path.name for path in (dated / "dist" / "1.2.3").iterdir() if path.name != ".gitignore"
    }
    assert ready(dated) == "1.2.3", "what is built is ignored"


@pytest.mark.parametrize(
    ("words", "typed", "code", "published"),
    [
        (["check"], None, 0, False),
        (["publish"], "", 1, False),
        (["publish"], "yes", 1, False),
        (["publish"], "1.2.3", 0, True),
    ],
)
def test_only_what_was_confirmed_is_published(
    dated: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    typed: str | None,
    code: int,
    published: bool,
) -> None:
    ran: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        return subprocess.CompletedProcess(command, 0)

    def ask(_: str) -> str:
        assert typed is not None, "nobody is asked"
        return typed

    monkeypatch.setattr(release, "ROOT", dated)
    monkeypatch.setattr(release, "tested", lambda _: None)
    monkeypatch.setattr(release, "ready", lambda _: "1.2.3")
    monkeypatch.setattr(release, "build", lambda root, _: [root / "handgrad.whl"])
    monkeypatch.setattr(release.subprocess, "run", run)
    assert release.main(words, ask) == code
    assert ran == ([["uv", "publish", "handgrad.whl"]] if published else [])
