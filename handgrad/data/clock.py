"""A limit on time that says the same on a busy machine as on an idle one."""

import time

#: By how much the wall clock may exceed a limit: on a machine with ten processes for each core, or
#: for a loss that waits for a device, which takes no processor time.
PATIENCE = 10.0


class Clock:
    """A limit on the processor time of this process, and a looser one on wall-clock time.

    Other load takes none of the processor time. Threads of a loss add theirs to it, so that a limit
    is never reached before as much time has passed on the wall clock, either.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._wall, self._processor = time.perf_counter(), time.process_time()

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return self._passed > PATIENCE * self._seconds or self.spent > self._seconds

    @property
    def left(self) -> float:
        """The seconds that are left; -1 if the time is up."""
        return -1.0 if self.over else self._seconds - self.spent

    @property
    def spent(self) -> float:
        """The seconds that count: of the processor, and no more than have passed."""
        return min(self._passed, time.process_time() - self._processor)

    @property
    def _passed(self) -> float:
        return time.perf_counter() - self._wall
