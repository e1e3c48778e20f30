"""Name a sum over devices that is missing, or one too many."""

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import numpy as np
from jax import lax

from handgrad.data.attempts import best_effort
from handgrad.data.findings import Diagnosis
from handgrad.data.point import real_inputs
from handgrad.data.pytrees import wide
from handgrad.diagnosis.engine import REFUSED
from handgrad.diagnosis.samples import Evidence, Sample, evidence
from handgrad.diagnosis.theory import Theory, explains
from handgrad.judging.jax_loss import JaxLoss
from handgrad.judging.outcome import Trial
from handgrad.program.equations import equations, results_by_jax
from handgrad.program.form import CUSTOM

#: How JAX calls the sum over devices.
SUMS = ("psum", "psum_invariant")

#: What marks a value as another on every device, or calls a program.
MARKS, CALLS = ("pvary", "pbroadcast"), ("jit", "pjit")


def with_devices(diagnoses: tuple[Diagnosis, ...], trial: Trial) -> tuple[Diagnosis, ...]:
    """Return the diagnoses of a loss of several devices, with a psum named that shows in them."""
    if not isinstance(trial.loss, JaxLoss):
        return diagnoses
    loss = trial.loss.traced(trial.outcomes[trial.deciding].given).loss
    meshes = [e.params["mesh"] for e in equations(loss.jaxpr.jaxpr) if "mesh" in e.params]
    counts = {count: says for mesh in meshes for count, says in _counts(dict(mesh.shape)).items()}
    named = tuple(_named(diagnosis, counts) for diagnosis in diagnoses)
    return named if named or not counts else _of_the_first(trial, trial.loss, {*counts})


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


def _of_the_first(trial: Trial, loss: JaxLoss, counts: set[int]) -> tuple[Diagnosis, ...]:
    """Say so if yours is what comes back to the first device alone, whose result is shown.

    A loss that is a mean over the devices has its part of that by so many too little.
    """
    found = evidence(trial)
    if found is None:
        return ()
    for times, what in ((1, "psum"), *((count, "pmean") for count in sorted(counts))):
        says = f"yours is what comes back on the first device alone: a {what} is missing"
        theory = Theory("unknown", says, partial(_first_alone, loss, times))
        if _explains(theory, found):
            paths, parts = found.given.paths, found.given.parts()
            wrong = [p for p, part in zip(paths, parts, strict=True) if found.wrong[part].any()]
            return (Diagnosis(theory.kind, theory.says, tuple(wrong)),)
    return ()


def _explains(theory: Theory, found: Evidence) -> bool:
    with best_effort(*REFUSED, TypeError):  # a mesh without devices, or what JAX does not map anew
        return explains(theory, found, np.ones(found.wrong.size, dtype=bool))
    return False


def _first_alone(loss: JaxLoss, times: int, sample: Sample) -> np.ndarray:
    """Return the gradient of the loss by the parameters that the first device has, times a number.

    Computed in JAX, whose rules need not be right: yours is explained by it or not.
    """
    given = sample.given
    traced = loss.traced(given)
    inputs = real_inputs(given) if traced.traced_inputs else []
    program = traced.loss.jaxpr

    args = [*given.leaves, *inputs]
    args = [np.asarray(x).astype(a.dtype) for x, a in zip(args, program.in_avals, strict=True)]
    leaves, inputs = args[: len(given.leaves)], args[len(given.leaves) :]

    def value(leaves: Sequence[Any]) -> Any:
        return _run(program.jaxpr, program.consts, [*leaves, *inputs])[0]

    with wide(leaves):
        found = jax.jit(jax.grad(value))(leaves)
        return times * np.concatenate([np.asarray(g, np.float64).reshape(-1) for g in found])


def _run(jaxpr: Any, consts: Sequence[Any], args: Sequence[Any]) -> list[Any]:
    """Run a program in JAX, whose derivative is that through the first device's copies alone."""
    values = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *args], strict=True))

    def read(atom: Any) -> Any:
        return atom.val if hasattr(atom, "val") else values[atom]

    for eqn in jaxpr.eqns:
        name, operands = eqn.primitive.name, [read(atom) for atom in eqn.invars]
        if name == "shard_map":
            outputs = _mapped(eqn, operands)
        elif name in CALLS or name in CUSTOM:
            inner = eqn.params["jaxpr" if name in CALLS else "call_jaxpr"]
            outputs = _run(inner.jaxpr, inner.consts, operands)
        elif name in SUMS:
            outputs = lax.psum(operands, eqn.params["axes"])
        elif name in MARKS:
            outputs = operands
        else:
            outputs = results_by_jax(eqn, operands)
        values.update(zip(eqn.outvars, outputs, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _mapped(eqn: Any, operands: Sequence[Any]) -> list[Any]:
    """Run a body on all devices; of what they share only the first one's copy is differentiated."""
    params, axes = eqn.params, tuple(dict(eqn.params["mesh"].shape))
    specs, body = tuple(params["in_specs"]), params["jaxpr"]

    def mine(*given: Any) -> Any:
        kept = [_kept(x, spec, axes) for x, spec in zip(given, specs, strict=True)]
        return _run(getattr(body, "jaxpr", body), getattr(body, "consts", ()), kept)

    how = {"mesh": params["mesh"], "in_specs": specs, "out_specs": list(params["out_specs"])}
    return jax.shard_map(mine, check_vma=False, **how)(*operands)


def _kept(x: Any, spec: Any, axes: Sequence[str]) -> Any:
    split = {
        a for entry in spec if entry for a in (entry if isinstance(entry, tuple) else (entry,))
    }
    shared = [axis for axis in axes if axis not in split]
    others = sum(lax.axis_index(axis) for axis in shared) if shared else 0
    return jax.numpy.where(others == 0, x, lax.stop_gradient(x)) if shared else x
