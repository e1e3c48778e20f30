"""Work behind a progress bar, for the commands that train or descend."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from compare.experiment import Settings, train
from compare.terminal import progress
from compare.trajectory import Trainings


def trained(settings: Settings) -> Trainings:
    """Both trainings. Raises as `counted` does."""
    with counted(settings.epochs, "epochs") as on_epoch:
        return train(settings, on_epoch)


@contextmanager
def counted(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """A progress bar; yields what to call with how much of `total` is done.

    Raises:
        KeyboardInterrupt: with a message that says how far it got.
    """
    reached = 0

    def on_progress(done: int) -> None:
        nonlocal reached
        reached = done
        advance(done)

    with progress(total, what) as advance:
        try:
            yield on_progress
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"after {reached} of {total} {what}") from None
