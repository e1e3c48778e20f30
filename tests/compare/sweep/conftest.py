"""Sweeps of the same settings share their compiled program."""

import pytest

from tests.compare.sweep.blocks import Shared


@pytest.fixture(autouse=True)
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compare.sweep.run.Program", Shared)
