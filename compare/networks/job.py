"""A training job of `train` and `resume`: a data set, a plan, and a number of epochs."""

from dataclasses import dataclass
from pathlib import Path

from compare.data import BUILT_IN, Dataset, dataset_named
from compare.limits import shape
from compare.networks.files import Model, Source
from compare.networks.plan import Plan
from compare.networks.prepared import Prepared, prepare, split
from compare.networks.training import Progress, Training
from compare.wording import LONGEST_PATH, InputError, shown

#: The losses for classes.
OF_CLASSES = ("bce", "softmax-ce")


@dataclass(frozen=True, eq=False)
class Job:
    """A training to be done."""

    data: Dataset
    source: Source
    plan: Plan
    by: tuple[str, ...]
    epochs: int
    test_fraction: float

    def prepared(self) -> Prepared:
        """Split, standardise and encode the data."""
        plan = self.plan
        outputs = plan.network.sizes[-1]
        return prepare(self.data, outputs, self.test_fraction, plan.seed, plan.numpy_dtype)

    def training(self) -> Training:
        """Build the training."""
        return Training(self.plan, self.prepared(), self.by)

    def model(self, data: Prepared, progress: Progress) -> Model:
        """Build the model that is written to a file."""
        return Model(
            self.plan,
            self.source,
            self.test_fraction,
            self.epochs,
            self.by,
            data.scale,
            data.target,
            progress,
        )


def source_of(data: Dataset, text: str) -> Source:
    """Describe the source of a data set that was loaded by the name or path `text`."""
    name = text if text in BUILT_IN else str(Path(text).resolve())
    kind = "number" if data.classes is None else "classes"
    return Source(name, data.features, data.target, data.classes, kind, data.fingerprint())


def job_of(path: Path, model: Model, text: str | None = None) -> Job:
    """Rebuild the job of a checkpoint, reading its data again.

    Args:
        path: the checkpoint's path.
        model: its content.
        text: the name or path of the data, if they have moved.

    Raises:
        InputError: the data cannot be read or have changed; or the network, or its count of
            updates, does not fit them.
    """
    source = model.source
    if text is None and source.name not in BUILT_IN and not Path(source.name).is_file():
        raise InputError(
            f"{shown(source.name, LONGEST_PATH)}: no such file, and the training began with it; "
            "expected --data with the place where it is now"
        )
    name = text or source.name
    data = dataset_named(name, source.target, source.features)
    if text:
        source = source_of(data, text)
    if data.fingerprint() != model.source.fingerprint:
        raise InputError(
            f"{shown(name, LONGEST_PATH)}: the data are not those that the training began with; "
            "expected them unchanged, or a new training"
        )
    job = Job(data, source, model.plan, model.by, model.epochs, model.test_fraction)
    if reason := complaint(model.plan, data) or _miscounted(model, data):
        raise InputError(f"{shown(str(path), LONGEST_PATH)}: {reason}")
    return job


def _miscounted(model: Model, data: Dataset) -> str | None:
    """Describe a count of updates that does not match the epochs; Adam's steps depend on it."""
    rows = len(split(data.y, model.test_fraction, model.plan.seed)[0])
    made = model.progress.epochs * -(-rows // model.plan.batch)
    for side, point in model.progress.points.items():
        if point.count != made:
            return (
                f"{side}.count is {point.count} after {model.progress.epochs} epochs; expected "
                f"{made} updates"
            )
    return None


def complaint(plan: Plan, data: Dataset) -> str | None:
    """Return why the network does not fit the data, or None if it does."""
    network = plan.network
    n_in, n_out = network.sizes[0], network.sizes[-1]
    of = shape(network.sizes)
    if n_in != len(data.features):
        return (
            f"network {of} has {n_in} inputs; expected {len(data.features)}, one for each "
            f"feature of {data.name}"
        )
    if data.classes is None:
        if network.loss in OF_CLASSES:
            return f"loss {network.loss} is for classes; expected mse or huber for {data.target!r}"
        return None if n_out == 1 else f"network {of} has {n_out} outputs; expected 1"
    classes = len(data.classes)
    allowed = {classes} | ({1} if classes == 2 and network.loss != "softmax-ce" else set())
    if n_out not in allowed:
        expected = " or ".join(map(str, sorted(allowed)))
        return (
            f"network {of} has {n_out} outputs; expected {expected} for the {classes} classes "
            f"of {data.target!r} with {network.loss}"
        )
    return None
