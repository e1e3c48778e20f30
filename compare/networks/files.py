"""Save and load checkpoints and trained models: one file with everything needed to go on.

The file is a NumPy archive: a header in JSON and the arrays. It is written beside its destination,
flushed to the disk, and renamed into place, so the name always leads to the newest complete
checkpoint. Nothing in it is ever unpickled.
"""

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compare.files import write_whole
from compare.limits import LARGEST_VALUE, SMALLEST_VALUE, count_parameters
from compare.lockstep import Point
from compare.networks.header import Header, Source, header_from
from compare.networks.plan import Plan
from compare.networks.prepared import Scale
from compare.networks.training import Progress, is_sound
from compare.schema import parsed
from compare.wording import LONGEST_PATH, InputError, shown
from manual.optimisers import OPTIMISERS

KIND, VERSION = "handgrad model", 1

MODEL = "a file that train has written with --out"


#: Limits in bytes on the header and on NumPy's header of an array, both far above real sizes.
LONGEST_HEADER, LONGEST_ARRAY_HEADER = 2**26, 4096


@dataclass(frozen=True, eq=False)
class Model:
    """A training that can go on, and a network that can predict."""

    plan: Plan
    source: Source
    test_fraction: float
    epochs: int  #: the number requested
    by: tuple[str, ...]
    scale: Scale
    target: Scale
    progress: Progress


def save(model: Model, path: Path) -> None:
    """Write the whole model, or leave the file as it is.

    Raises:
        OSError: the file cannot be written.
    """
    header = Header(
        model.plan,
        model.source,
        model.test_fraction,
        model.epochs,
        model.by,
        model.progress.epochs,
        model.progress.first_divergence,
        model.progress.max_drift_ulps,
    )
    content = {"kind": KIND, "version": VERSION} | asdict(header)
    arrays: dict[str, Any] = {
        "header": np.array(json.dumps(content)),
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
    """Read a model and check all of it; sizes are checked before anything is read.

    Raises:
        InputError: the file is missing, cut short, foreign, of a later version, or contradicts
            itself.
    """
    try:
        with path.open("rb") as file:
            return _read(path, file)
    except InputError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{_shown(path)}: {reason}; expected a model file") from error
    except Exception as error:  # its type depends on which bytes are damaged
        raise InputError(
            f"{_shown(path)}: cut short, damaged, or no model; expected {MODEL}"
        ) from error


def _read(path: Path, file: Any) -> Model:
    archive = np.load(file, allow_pickle=False)
    if not isinstance(archive, np.lib.npyio.NpzFile) or "header" not in archive.files:
        raise _no_model(path)
    if _size(archive, "header") > LONGEST_HEADER:
        raise _no_model(path)
    content = str(archive["header"]).encode()
    header = parsed(content, f"{_shown(path)}: header", MODEL)
    if not isinstance(header, dict) or header.get("kind") != KIND:
        raise _no_model(path)
    version = header.get("version")
    if type(version) is not int or version != VERSION:
        raise InputError(f"{_shown(path)}: version {shown(str(version))}; expected {VERSION}")
    try:
        return _assembled({k: header[k] for k in header if k not in ("kind", "version")}, archive)
    except InputError as error:
        raise InputError(
            f"{_shown(path)}: contradicts itself ({error}); expected a whole model"
        ) from error


def _no_model(path: Path) -> InputError:
    return InputError(f"{_shown(path)}: no model in it; expected {MODEL}")


def _shown(path: Path) -> str:
    return shown(str(path), LONGEST_PATH)


def _assembled(value: dict[str, Any], archive: Any) -> Model:
    header = header_from(value)
    plan, by = header.plan, header.by
    _check_names(archive, by)
    progress = Progress(
        header.done,
        {side: _point(plan, side, archive) for side in by},
        _array(archive, "losses", (header.done, len(by)), np.float64, finite=False),
        header.first_divergence,
        header.max_drift_ulps,
    )
    return Model(
        plan,
        header.source,
        header.test_fraction,
        header.epochs,
        by,
        _scale("scale", plan.network.sizes[0], archive),
        _scale("target", 1, archive),
        progress,
    )


def _check_names(archive: Any, by: tuple[str, ...]) -> None:
    """Refuse an archive with a missing or an unknown array."""
    expected = {"header", "losses", "scale.mean", "scale.sd", "target.mean", "target.sd"}
    expected |= {f"{side}.{what}" for side in by for what in ("params", "moments", "count")}
    found = set(archive.files)
    if missing := expected - found:
        raise InputError(f"{min(missing)} is missing")
    if unknown := found - expected:
        raise InputError(f"{shown(repr(min(unknown)))} is unknown")


def _scale(name: str, size: int, archive: Any) -> Scale:
    mean = _array(archive, f"{name}.mean", (size,), np.float64)
    sd = _array(archive, f"{name}.sd", (size,), np.float64)
    if not np.all(sd > 0):
        raise InputError(f"{name}.sd is not positive")
    # So that what is standardised stays finite. The smallest is far below that of any column that
    # varies by more than SMALLEST_VALUE; twice the largest leaves room for rounding.
    most = 2 * LARGEST_VALUE
    if not np.all((np.abs(mean) <= most) & (sd <= most) & (sd >= SMALLEST_VALUE**2)):
        raise InputError(f"{name} is of a size that no column has")
    return Scale(mean, sd)


def _point(plan: Plan, side: str, archive: Any) -> Point:
    size = count_parameters(plan.network.sizes)
    moments = len(OPTIMISERS[plan.optimiser](plan.learning_rate).init([]).moments)
    point = Point(
        _array(archive, f"{side}.params", (size,), plan.numpy_dtype),
        _array(archive, f"{side}.moments", (moments, size), plan.numpy_dtype),
        int(_array(archive, f"{side}.count", (), np.int64)),
    )
    if point.count < 0:
        raise InputError(f"{side}.count is {point.count}")
    if not is_sound(plan, point):
        raise InputError(f"{side}.params has run away")
    if plan.optimiser == "adam" and not np.all(point.moments[1] >= 0):
        raise InputError(f"{side}.moments: a mean of squares is negative")
    return point


def _array(
    archive: Any, name: str, shape: tuple[int, ...], dtype: Any, finite: bool = True
) -> np.ndarray:
    """Read an array of the archive; one far larger than expected is not read at all."""
    # Twice the size, so that an array in another dtype is read and the error can name its dtype.
    most = 2 * math.prod(shape) * np.dtype(dtype).itemsize + LONGEST_ARRAY_HEADER
    if (size := _size(archive, name)) > most:
        raise InputError(f"{name} has {size} bytes, not shape {shape} and {np.dtype(dtype)}")
    array = archive[name]
    if array.shape != shape or array.dtype != dtype:
        raise InputError(f"{name} has shape {array.shape} and dtype {array.dtype}")
    if finite and not np.all(np.isfinite(array)):
        raise InputError(f"{name} is not finite")
    return array


def _size(archive: Any, name: str) -> int:
    """Return the bytes of an array with its header, from the archive's directory."""
    return archive.zip.getinfo(f"{name}.npy").file_size


def _flush_folder(folder: Path) -> None:
    """Flush the folder, so that the renaming reaches the disk; not every system can."""
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
