"""Shared by `train` and `resume`: run a training with progress bar, checkpoints and report."""

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from compare import terminal
from compare.commands.output import Disagreement, difference, print_object
from compare.limits import shape
from compare.lockstep import Divergence
from compare.memory import keep_freed_memory
from compare.networks.files import save
from compare.networks.job import Job
from compare.networks.judge import misshapen
from compare.networks.trainers import SIDE_LABELS, MisshapenError
from compare.networks.training import Progress, RanAwayError, Training, train
from compare.terminal import console, show_verdict
from compare.verdict import BY_AUTODIFF, BY_HAND

#: The JSON names of the sides.
WORDS = {BY_HAND: "hand", BY_AUTODIFF: "autodiff"}


def run(
    job: Job,
    progress: Progress | None,
    out: Path | None,
    every: float,
    plot: Path | None,
    as_json: bool,
) -> int:
    """Train until the job is done, write checkpoints, report, and return the exit code.

    Args:
        job: the training to run.
        progress: where to continue; None starts anew.
        out: the file for checkpoints and the trained model.
        every: seconds between checkpoints; 0 writes one after every epoch.
        plot: a file for the loss curves.
        as_json: print one JSON object instead of text.

    Raises:
        RanAwayError: the training diverges.
        Disagreement: the training cannot go on, because a gradient is not shaped like the
            parameters or both sides diverged after they had disagreed.
        KeyboardInterrupt: with a message that says how far it got and how to go on.
    """
    keep_freed_memory()
    training = job.training()
    before = training.start() if progress is None else progress
    keep = _Checkpoints(job, training, out, every)
    keep.write(before)
    if not as_json:
        done = None if progress is None else progress.epochs
        _announce(job, len(training.data.x), len(training.data.test_x), done)
    progress = _trained(job, training, before, keep)
    keep.write(progress)
    scores = {
        side: training.score(side, progress.points[side], job.data.classes is not None)
        for side in job.by
    }
    if plot:
        from compare import plots

        plots.save(
            plots.training_losses(progress.losses, [SIDE_LABELS[side] for side in job.by]), plot
        )
    if as_json:
        print_object(_as_object(job, progress, scores, out))
    else:
        _report(job, scores, plot)
        keep.report()
        _conclude(before, progress)
    return int(progress.verdict == "disagree")


def _trained(job: Job, training: Training, progress: Progress, keep: "_Checkpoints") -> Progress:
    """Run the remaining epochs with a progress bar."""
    with_accuracy = job.data.classes is not None
    try:
        with terminal.progress(job.epochs, "epochs", transient=False) as show:

            def on_epoch(now: Progress) -> None:
                keep.offer(now)
                show(now.epochs, lambda: _state(training, now, with_accuracy))

            return train(training, progress, job.epochs, on_epoch)
    except RanAwayError as error:
        keep.write_disagreement(error.divergence)
        if error.divergence:
            raise Disagreement(f"{_described(error.divergence)}; then it ran away.") from error
        raise
    except MisshapenError as error:
        keep.write_disagreement(misshapen(error) if len(job.by) == 2 else None)
        raise Disagreement(f"{error}.") from error
    except KeyboardInterrupt:
        keep.write(keep.newest)
        done = keep.written.epochs if keep.written else 0
        onward = f"; `python -m compare resume {keep.out}` goes on" if keep.out else ""
        raise KeyboardInterrupt(f"after {done} of {job.epochs} epochs{onward}") from None


class _Checkpoints:
    """Write the newest progress at intervals; without a file, only keep it."""

    def __init__(self, job: Job, training: Training, out: Path | None, every: float) -> None:
        self.job, self.training, self.out, self.every = job, training, out, every
        self.newest: Progress | None = None  #: the last one offered
        self.seen: Progress | None = None  #: the newest one written or refused
        self.written: Progress | None = None  #: the one in the file
        self.at = 0.0

    def write(self, progress: Progress | None) -> None:
        """Write the progress unless it has been written already."""
        if progress is None or progress is self.seen:
            return
        self.newest = self.seen = progress
        if all(map(self.training.is_sound, progress.points.values())):
            self._save(progress)
        elif self.written and self.written.first_divergence != progress.first_divergence:
            # A wrong side may overflow. The file then keeps the newest parameters from which a
            # training can go on, and records that the two sides disagree.
            self._save(replace(self.written, first_divergence=progress.first_divergence))
        self.at = time.monotonic()

    def write_disagreement(self, divergence: Divergence | None) -> None:
        """Write the newest progress with the divergence, before a training ends in an error."""
        if self.newest is not None:
            found = self.newest.first_divergence or divergence
            self.write(replace(self.newest, first_divergence=found))

    def _save(self, progress: Progress) -> None:
        self.written = progress
        if self.out:
            save(self.job.model(self.training.data, progress), self.out)

    def offer(self, progress: Progress) -> None:
        """Write the progress if the interval has passed."""
        self.newest = progress
        if time.monotonic() - self.at >= self.every:
            self.write(progress)

    def report(self) -> None:
        """Print where the model is, and whether it is older than the last epoch."""
        if not (self.out and self.written and self.seen):
            return
        older = ""
        if self.written.epochs < self.seen.epochs:
            older = f", as it was after {self.written.epochs} epochs; later ones ran away"
        console().print(f"Model: {self.out}{older}", soft_wrap=True)


def _announce(job: Job, train_rows: int, test_rows: int, done: int | None) -> None:
    """Print what will be trained; `done` epochs were done before, None for a new training."""
    out, plan, network = console(), job.plan, job.plan.network
    out.print(
        f"{job.data.name}: {job.data.target} by {len(job.data.features)} features, {train_rows} "
        f"rows to train on, {test_rows} to test on."
    )
    if job.data.note:
        out.print(job.data.note)
    penalty = f", λ = {network.l2:g}" if network.l2 else ""
    hidden = f"{network.activation} inside, " if len(network.sizes) > 2 else ""
    out.print(
        f"Network {shape(network.sizes)}, {hidden}{network.output} at the end, "
        f"loss {network.loss}{penalty}; {plan.optimiser} with η = {plan.learning_rate:g}, "
        f"{plan.batch} rows an update, epochs: {job.epochs}, seed {plan.seed}, {plan.dtype}."
    )
    if done is not None:
        more = f"{done or 'none'} of them {'is' if done == 1 else 'are'} done"
        if done == job.epochs:
            more = "all of them are done already; --epochs asks for more"
        out.print(f"{more}.")
    out.print()


def _state(training: Training, progress: Progress, classes: bool) -> str:
    """Return the progress bar's text beside the count."""
    side = training.by[0]
    loss = f"loss {progress.losses[-1, 0]:.4g}"
    if not classes:
        return loss
    score = training.accuracy(side, progress.points[side])
    return f"{loss}, accuracy {score:.3f}"


def _report(job: Job, scores: dict[str, Any], plot: Path | None) -> None:
    from compare.terminal import show_scores

    screen = console()
    show_scores(screen, {SIDE_LABELS[side]: scores[side] for side in job.by})
    if job.data.classes is None:
        screen.print("The target is standardised: a loss of 1 is that of always saying its mean.")
    if plot:
        screen.print(f"Loss curves: {plot}", soft_wrap=True)


def _conclude(before: Progress, progress: Progress) -> None:
    """Print the drift and the verdict; a divergence may stem from `before` this run."""
    screen = console()
    if progress.verdict is None:
        screen.print("Not compared; --by both holds the two against each other.")
        return
    screen.print(
        f"\nFree-running, the two drift at most {progress.max_drift_ulps:.3g} ulp(max(|θ|, 1)) "
        "apart, which is not judged: trainings amplify rounding."
    )
    found = progress.first_divergence
    if found is None:
        because = (
            f"{int(progress.points[BY_HAND].count)} updates, each taken by both from common "
            "parameters along either path, all within rounding"
        )
    else:
        screen.print(
            "One step by hand at a time is judged by handgrad.check_backward; see docs/networks.md."
        )
        earlier = "before this run, in " if found is before.first_divergence else ""
        because = earlier + _described(found)
    show_verdict(screen, progress.verdict, because)


def _described(found: Divergence) -> str:
    of = f" of {found.parameter}" if found.parameter else ""
    if found.quantity == "shape":
        return f"update {found.update}, gradient{of}: by hand it had not the parameter's form"
    return f"update {found.update}, {found.quantity}{of}: {difference(found)}"


def _as_object(
    job: Job, progress: Progress, scores: dict[str, Any], out: Path | None
) -> dict[str, Any]:
    both = len(job.by) == 2
    divergence = progress.first_divergence
    return {
        "data": job.data.name,
        "network": shape(job.plan.network.sizes),
        "seed": job.plan.seed,
        "by": {WORDS[side]: scores[side] for side in job.by},
        "training": {
            "first_divergence": divergence and asdict(divergence),
            "max_drift_ulps": progress.max_drift_ulps,
        }
        if both
        else None,
        "model": out and str(out),
        "verdict": progress.verdict,
    }
