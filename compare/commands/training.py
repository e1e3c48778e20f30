"""Training behind a progress bar, for the commands that need a trained network."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from compare.experiment import Settings, train
from compare.terminal import progress
from compare.trajectory import TrainingDivergedError, Trainings


def trained(settings: Settings) -> Trainings:
    """Both trainings. Raises as `training_bar` does."""
    with training_bar(settings) as on_epoch:
        return train(settings, on_epoch)


@contextmanager
def training_bar(settings: Settings) -> Iterator[Callable[[int], None]]:
    """A progress bar for a training; yields what to call with the number of epochs done.

    Raises:
        click.UsageError: the learning rate makes the training leave the range of float64.
        KeyboardInterrupt: with a message that says how far the training got.
    """
    done = 0

    def on_epoch(epoch: int) -> None:
        nonlocal done
        done = epoch
        advance(epoch)

    with progress(settings.epochs) as advance:
        try:
            yield on_epoch
        except TrainingDivergedError as error:
            raise click.UsageError(f"{error}.") from error
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"after {done} of {settings.epochs} epochs") from None
