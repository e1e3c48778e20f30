"""The command that tries versions of torch says what was tried, and fails where one fails."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests import torch_versions
from tests.torch_versions import Tried, copied_rooms, ended_with, main, table, tried

FOUND = {"torch": "2.6.0", "jax": "0.10.2", "numpy": "2.4.6", "Python": "3.11.7"}

ROWS = {
    "oldest": Tried("3.11", "oldest", FOUND, "12 passed in 9.81s", 61.4, passed=True),
    "newest": Tried("3.11", "newest", {}, "ERROR: no such torch", 2.5, passed=False),
}


def test_the_table_has_what_was_found_and_how_it_ended() -> None:
    said = table([*ROWS.values()]).splitlines()
    assert said[2:] == [
        "| 3.11.7 | 2.6.0 (oldest) | 0.10.2 | 2.4.6 | 12 passed in 9.81s | 61 |",
        "| 3.11 | (newest) |  |  | FAILED: ERROR: no such torch | 2 |",
    ]


@pytest.mark.parametrize(("words", "code"), [(["--torch", "oldest"], 0), ([], 1)])
def test_one_that_fails_is_enough(
    words: list[str], code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = []

    def given(version: str, versions: str, wheel: Path, keep: Path | None) -> Tried:
        asked.append((version, versions, wheel, keep))
        return ROWS[versions]

    monkeypatch.setattr(torch_versions, "tried", given)
    monkeypatch.setattr(torch_versions, "built", lambda kind, _: Path(f"a.{kind}"))
    ended = CliRunner().invoke(main, ["--python", "3.11", "--keep", str(tmp_path), *words])
    assert ended.exit_code == code
    torches = words[1:] or ["oldest", "newest"]
    assert asked == [("3.11", of, Path("a.wheel"), tmp_path) for of in torches]
    assert ended.stdout == table([ROWS[of] for of in torches]) + "\n"


def test_the_wheel_is_installed_anew_where_an_environment_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed = []
    monkeypatch.setattr(torch_versions, "environment", lambda *words, **_: installed.append(words))
    monkeypatch.setattr(torch_versions, "ended_with", lambda _: (FOUND, 0, "5 passed in 1.00s"))
    wheel = tmp_path / "a.whl"
    assert tried("3.11", "newest", wheel, tmp_path).passed
    first, second = (words[2:] for words in installed)
    assert first[:2] == ("torch", wheel)
    assert second == ("--force-reinstall", "--no-deps", wheel)


def test_what_cannot_be_installed_is_a_row(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def asked(folder: Path, python: str, *packages: Any, **options: str) -> Path:
        assert (folder, python) == (tmp_path / "3.11-oldest", "python3.11")
        assert packages[:2] == ("torch==2.6", tmp_path / "a.whl")
        assert options["PIP_CONSTRAINT"] == "", "the newest is not this machine's"
        raise AssertionError("first line\nERROR: no space left")

    monkeypatch.setattr(torch_versions, "environment", asked)
    monkeypatch.setattr(torch_versions, "python", {"3.11": "python3.11"}.get)
    row = tried("3.11", "oldest", tmp_path / "a.whl", tmp_path)
    assert (row.says, row.passed) == ("ERROR: no space left", False)
    assert "first line" in capsys.readouterr().err
    row = tried("3.99", "oldest", tmp_path / "a.whl", tmp_path)
    assert row.says == "no Python 3.99 on this machine that can make environments"


def test_the_checkout_s_judge_is_neither_copied_nor_tested(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    copied = {path.name for path in copied_rooms(tmp_path).iterdir()}
    assert copied == {*torch_versions.ROOMS}
    said = '{"torch": "2.6", "handgrad": "/checkout/handgrad/__init__.py"}'
    monkeypatch.setattr(torch_versions, "run", lambda *_: (0, said))
    with pytest.raises(AssertionError, match="not the wheel's: /checkout"):
        ended_with(tmp_path / "env" / "bin")
