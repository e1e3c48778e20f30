"""The command line on a file of somebody's own, `MINE` of the test module, in this process."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from handgrad import cli
from handgrad.speed import rounds


class Ended(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Path]:
    """The current directory, with mine.py in it; sys.path is put back."""
    (tmp_path / "mine.py").write_text(request.module.MINE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    sys.modules.pop("mine", None)


@pytest.fixture
def run(
    folder: Path,  # noqa: ARG001 (what the command is run in)
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """Run the command line in this process."""

    def run(*words: str, program: str = "handgrad") -> Ended:
        monkeypatch.setattr(sys, "argv", [program, *words])
        with pytest.raises(SystemExit) as ending:
            cli.main()
        shown = capsys.readouterr()
        return Ended(int(ending.value.code or 0), str(shown.out), str(shown.err))

    return run


@pytest.fixture
def check(run: Any) -> Any:
    """Run `handgrad check` on what is in mine.py."""

    def check(gradient: str, *words: str, loss: str = "loss", like: str = "example") -> Ended:
        return run("check", f"mine.py:{gradient}", "--loss", loss, "--like", like, *words)

    return check


@pytest.fixture
def short_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample is one call, and no pause is made before it."""
    monkeypatch.setattr(rounds, "SAMPLE_SECONDS", 0.0)
    monkeypatch.setattr(rounds, "PAUSE_SECONDS", 0.0)
