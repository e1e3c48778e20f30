"""Plant mistakes in a contender, to test that the run and `compare` notice them."""

import time
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.ready import Leaves, Ready

#: The mistakes that can be planted, and their expected effect.
PLANTS = {
    "slow": "every call takes a tenth longer; `compare` says worse",
    "wrong": "an element of the gradient has the other sign; it gets no time",
}

#: Stands for all contenders.
ALL = "all"

#: The relative slowdown of a slow contender.
SLOWER = 0.10


def planted(ready: Ready, what: str) -> Ready:
    """Return a contender with a mistake."""
    return _slow(ready) if what == "slow" else replace(ready, read=_wrong(ready))


def _slow(ready: Ready) -> Ready:
    def run() -> Any:
        begin = time.perf_counter()
        answer = ready.run()
        until = begin + (1 + SLOWER) * (time.perf_counter() - begin)
        while time.perf_counter() < until:
            pass
        return answer

    return replace(ready, run=run)


def _wrong(ready: Ready) -> Any:
    def read(answer: Any) -> Leaves:
        *others, last = ready.read(answer)
        last = np.array(last)
        at = np.unravel_index(np.argmax(np.abs(last)), last.shape)
        last[at] = -last[at]
        return [*others, last]

    return read
