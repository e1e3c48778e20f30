"""Load a network trained by `compare train`, with an example in the units of its data."""

from pathlib import Path
from typing import Any

import numpy as np

from compare.networks import flat
from compare.networks.files import Model, load
from compare.networks.trainers import BY_HAND, SIDE_LABELS
from compare.wording import InputError, listed
from manual.affine import Layer
from manual.network import Network

Numbers = tuple[float, ...] | None


def of_model(
    path: Path, x: Numbers, y: Numbers
) -> tuple[Network, list[Layer], np.ndarray, np.ndarray, dict[str, Any]]:
    """Load the network and its parameters, and standardise the example.

    Args:
        path: a model; if both sides trained it, the parameters by hand are used.
        x: features, in the units of the data.
        y: the class, counted from 0, or the number.

    Returns:
        Network, layers, standardised features and target, and a description of them.

    Raises:
        InputError: the model cannot be read, or the example does not fit it.
    """
    model = load(path)
    features, target = model.source.features, model.source.target
    if x is None or y is None:
        wanted = f"--x with {listed(features)} in their units, and --y with {target}"
        raise InputError(f"no example beside --model; expected {wanted}")
    if len(x) != len(features):
        expected = f"{len(features)} ({listed(features)})"
        raise InputError(f"--x has length {len(x)}; expected {expected}")
    side = BY_HAND if BY_HAND in model.by else model.by[0]
    params = flat.split(model.progress.points[side].params, model.plan.network.sizes)
    about = {
        "parameters": f"parameters as {path} has them, trained {SIDE_LABELS[side]}",
        "features": dict(zip(features, x, strict=True)),
    }
    seen = model.scale.standardised(np.array(x))
    return model.plan.network, params, seen, _target(model, y), about


def _target(model: Model, y: tuple[float, ...]) -> np.ndarray:
    """Encode the target."""
    classes, outputs = model.source.classes, model.plan.network.sizes[-1]
    if len(y) != 1:
        raise InputError(f"--y has length {len(y)}; expected 1 ({model.source.target})")
    if classes is None:
        return model.target.standardised(np.array(y))
    named = ", ".join(f"{code} for {label}" for code, label in enumerate(classes))
    if y[0] not in range(len(classes)):
        raise InputError(f"--y {y[0]:g}; expected {named}")
    return np.array(y) if outputs == 1 else np.eye(outputs)[int(y[0])]
