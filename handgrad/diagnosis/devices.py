"""Name a factor that is the number of devices: a sum over them too many, or one that is missing."""

import math
import re
from dataclasses import replace

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
    counts = {math.prod(dict(mesh.shape).values()) for mesh in meshes} - {1}
    return tuple(_named(diagnosis, counts) for diagnosis in diagnoses)


def _named(diagnosis: Diagnosis, counts: set[int]) -> Diagnosis:
    found = re.search(r"\b(1/)?(\d+) (times|of) exact\b", diagnosis.says)
    if diagnosis.kind != "factor" or found is None or int(found[2]) not in counts:
        return diagnosis
    which = "is missing, or it has a pmean for it" if found[1] else "too many, or one for a pmean"
    says = f"{diagnosis.says}; {found[2]} is the number of devices: a psum {which}"
    return replace(diagnosis, says=says)
