"""Checkpoints and trained models: one file that holds all that is needed to go on.

The file is a NumPy archive: a header in JSON and the arrays. It is written beside its destination,
flushed to the disk, and renamed into place, so that at every moment the newest complete checkpoint
is what the name leads to. Nothing in it is ever unpickled.
"""

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compare.files import write_whole
from compare.networks import flat
from compare.networks.lockstep import Divergence
from compare.networks.plan import Plan, plan_from
from compare.networks.prepared import Scale
from compare.networks.sides import Point
from compare.networks.training import BY_AUTODIFF, BY_HAND, Progress
from manual.optimisers import OPTIMISERS

KIND, VERSION = "handgrad model", 1


class ModelError(ValueError):
    """A file that cannot be used: one line that says where, what was found, what was expected."""


@dataclass(frozen=True, eq=False)
class Source:
    """Where the data came from, and what they looked like."""

    name: str  #: a built-in data set, or the path of a file
    features: tuple[str, ...]
    target: str
    classes: tuple[str, ...] | None
    kind: str  #: `classes` or `number`
    raw: bool
    fingerprint: str


@dataclass(frozen=True, eq=False)
class Model:
    """A training that can go on, and a network that can predict."""

    plan: Plan
    source: Source
    test_fraction: float
    epochs: int  #: how many were asked for
    by: tuple[str, ...]
    scale: Scale
    target: Scale
    progress: Progress


def save(model: Model, path: Path) -> None:
    """Write the model whole, or leave what is there.

    Raises:
        OSError: the file cannot be written.
    """
    header = {
        "kind": KIND,
        "version": VERSION,
        "plan": model.plan.as_object(),
        "source": asdict(model.source),
        "test_fraction": model.test_fraction,
        "epochs": model.epochs,
        "by": model.by,
        "done": model.progress.epochs,
        "first_divergence": model.progress.first_divergence
        and asdict(model.progress.first_divergence),
        "max_drift_ulps": model.progress.max_drift_ulps,
    }
    arrays: dict[str, Any] = {
        "header": np.array(json.dumps(header)),
        "losses": model.progress.losses,
    }
    for name, scale in (("scale", model.scale), ("target", model.target)):
        arrays |= {f"{name}.mean": scale.mean, f"{name}.sd": scale.sd}
    for side, point in model.progress.points.items():
        arrays |= {f"{side}.params": point.params, f"{side}.moments": point.moments}
        arrays[f"{side}.count"] = np.asarray(point.count, np.int64)

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())

    path = path.resolve()  # a link stays a link
    write_whole(path, write)
    _flush_folder(path.parent)


def load(path: Path) -> Model:
    """Read a model and check all of it.

    Raises:
        ModelError: the file is missing, cut short, foreign, of a later version, or contradicts
            itself.
    """
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile) or "header" not in archive:
                raise ModelError(f"{path}: no model in it; expected a file that train has written")
            header = json.loads(str(archive["header"]))
            arrays = {name: archive[name] for name in archive.files if name != "header"}
    except ModelError:
        raise
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}; expected a model file") from error
    except Exception as error:  # which of them, depends on the bytes that are damaged
        raise ModelError(
            f"{path}: cut short, damaged, or no model; expected a file that train has written"
        ) from error
    return _checked(path, header, arrays)


def _checked(path: Path, header: Any, arrays: dict[str, np.ndarray]) -> Model:
    if not isinstance(header, dict) or header.get("kind") != KIND:
        raise ModelError(f"{path}: no model in it; expected a file that train has written")
    if header.get("version") != VERSION:
        raise ModelError(f"{path}: version {header.get('version')}; expected {VERSION}")
    try:
        return _assembled(header, arrays)
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
        what = " ".join(str(error).split()) or type(error).__name__
        raise ModelError(f"{path}: contradicts itself ({what}); expected a whole model") from error


def _assembled(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> Model:
    plan = plan_from(header["plan"])
    source = dict(header["source"])
    source["features"] = tuple(source["features"])
    source["classes"] = source["classes"] and tuple(source["classes"])
    by = tuple(header["by"])
    if not by or set(by) - {BY_HAND, BY_AUTODIFF}:
        raise ValueError(f"by {by}")
    n_in, done = plan.network.sizes[0], int(header["done"])
    if len(source["features"]) != n_in:
        raise ValueError(f"{len(source['features'])} features for {n_in} inputs")
    _check_values(plan, source, header)
    points = {side: _point(plan, side, arrays) for side in by}
    divergence = header["first_divergence"]
    progress = Progress(
        done,
        points,
        _array(arrays, "losses", (done, len(by)), np.float64, finite=False),
        divergence and Divergence(**divergence),
        float(header["max_drift_ulps"]),
    )
    scales = {"scale.mean", "scale.sd", "target.mean", "target.sd"}
    of_sides = {f"{side}.{what}" for side in by for what in ("params", "moments", "count")}
    if unknown := arrays.keys() - {"losses"} - scales - of_sides:
        raise ValueError(f"{min(unknown)!r} is unknown")
    return Model(
        plan,
        Source(**source),
        float(header["test_fraction"]),
        int(header["epochs"]),
        by,
        _scale("scale", n_in, arrays),
        _scale("target", 1, arrays),
        progress,
    )


def _check_values(plan: Plan, source: dict[str, Any], header: dict[str, Any]) -> None:
    """Raise ValueError unless the numbers are ones that `train` takes, and the classes fit."""
    n_out, classes = plan.network.sizes[-1], source["classes"]
    outputs = {1} if classes is None else {len(classes)} | ({1} if len(classes) == 2 else set())
    words = [source[key] for key in ("name", "target", "fingerprint")]
    for what, value, right in (
        ("learning_rate", plan.learning_rate, 0 < plan.learning_rate < math.inf),
        ("batch", plan.batch, isinstance(plan.batch, int) and plan.batch > 0),
        ("seed", plan.seed, isinstance(plan.seed, int) and plan.seed >= 0),
        ("test_fraction", header["test_fraction"], 0 < header["test_fraction"] <= 0.5),
        ("epochs", header["epochs"], header["epochs"] >= header["done"]),
        ("kind", source["kind"], source["kind"] == ("number" if classes is None else "classes")),
        ("outputs", n_out, n_out in outputs),
        ("source", words, all(isinstance(word, str) for word in words)),
    ):
        if not right:
            raise ValueError(f"{what} {value}")


def _scale(name: str, size: int, arrays: dict[str, np.ndarray]) -> Scale:
    mean = _array(arrays, f"{name}.mean", (size,), np.float64)
    sd = _array(arrays, f"{name}.sd", (size,), np.float64)
    if not np.all(sd > 0):
        raise ValueError(f"{name}.sd is not positive")
    return Scale(mean, sd)


def _point(plan: Plan, side: str, arrays: dict[str, np.ndarray]) -> Point:
    size = flat.size(plan.network.sizes)
    params = _array(arrays, f"{side}.params", (size,), plan.numpy_dtype)
    moments = len(OPTIMISERS[plan.optimiser](plan.learning_rate).init([]).moments)
    return Point(
        params,
        _array(arrays, f"{side}.moments", (moments, size), plan.numpy_dtype),
        int(_array(arrays, f"{side}.count", (), np.int64)),
    )


def _array(
    arrays: dict[str, np.ndarray],
    name: str,
    shape: tuple[int, ...],
    dtype: Any,
    finite: bool = True,
) -> np.ndarray:
    array = arrays[name]
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(f"{name} has shape {array.shape} and dtype {array.dtype}")
    if finite and not np.all(np.isfinite(array)):
        raise ValueError(f"{name} is not finite")
    return array


def _flush_folder(folder: Path) -> None:
    """Let the renaming itself reach the disk, where folders can be flushed."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
