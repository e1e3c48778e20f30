"""What the tests of the judge share."""

import gc
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from handgrad import clock


@pytest.fixture
def own_garbage() -> Iterator[None]:
    """Garbage is looked for among what a test has made: among all objects, that takes a second."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that both clocks of handgrad show, however fast this machine is."""
    shown = [0.0]
    read = {name: lambda: shown[0] for name in ("perf_counter", "process_time")}
    monkeypatch.setattr(clock, "time", SimpleNamespace(**read))
    return shown
