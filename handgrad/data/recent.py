"""A bounded store of what was computed last, by keys."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """The values used last, as many as weigh no more than `most` together; safe for threads."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()

    def get(self, key: Hashable) -> Value | None:
        """Return a value; None if there is none, or not any more."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: Hashable, value: Value, weight: int) -> None:
        """Keep a value, unless it weighs too much; those that were used longest ago give way."""
        if weight > self._most:
            return
        with self._lock:
            self._kept[key] = value, weight
            self._kept.move_to_end(key)
            while sum(weight for _, weight in self._kept.values()) > self._most:
                self._kept.popitem(last=False)
