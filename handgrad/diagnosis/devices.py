"""Name a factor that is the number of devices: a sum over them too many, or one that is missing."""

import itertools
import math
import re
from dataclasses import replace
from typing import Any

from handgrad.data.findings import Diagnosis
from handgrad.judging.jax_loss import JaxLoss
from handgrad.judging.outcome import Trial
from handgrad.program.equations import equations


def with_devices(diagnoses: tuple[Diagnosis, ...], trial: Trial) -> tuple[Diagnosis, ...]:
    """Return the diagnoses of a loss of several devices, the psum named where a factor shows it."""
    if not diagnoses or not isinstance(trial.loss, JaxLoss):
        return diagnoses
    loss = trial.loss.traced(trial.outcomes[trial.deciding].given).loss
    meshes = [e.params["mesh"] for e in equations(loss.jaxpr.jaxpr) if "mesh" in e.params]
    counts = {count: says for mesh in meshes for count, says in _counts(dict(mesh.shape)).items()}
    return tuple(_named(diagnosis, counts) for diagnosis in diagnoses)


def _counts(shape: dict[Any, int]) -> dict[int, str]:
    """Return over how many devices a psum may go, by the axes of a mesh, and what that number is.

    Of axes that give the same number, the most are named.
    """
    found = {}
    for k in range(1, len(shape) + 1):
        for axes in itertools.combinations(shape, k):
            along = "" if k == len(shape) else f" along {' and '.join(map(str, axes))}"
            found[math.prod(shape[axis] for axis in axes)] = f"the number of devices{along}"
    return {count: says for count, says in found.items() if count > 1}


def _named(diagnosis: Diagnosis, counts: dict[int, str]) -> Diagnosis:
    found = re.search(r"(?<![\w./-])(1/)?(\d+) (times|of) exact\b", diagnosis.says)
    if diagnosis.kind != "factor" or found is None or int(found[2]) not in counts:
        return diagnosis
    which = "is missing, or it has a pmean for it" if found[1] else "too many, or one for a pmean"
    says = f"{diagnosis.says}; {found[2]} is {counts[int(found[2])]}: a psum {which}"
    return replace(diagnosis, says=says)
