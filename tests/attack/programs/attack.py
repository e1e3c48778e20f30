"""One program before the judge: its right gradient, and that of the program with one edit."""

import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import jax
import numpy as np

from handgrad import check_gradient
from handgrad.program.rules import GROUPS, RULES
from tests.corpus.differences import (
    CONFIRMED,
    ROUNDING,
    Gradient,
    change,
    confirmed,
    gradient,
    points,
    relations,
)
from tests.corpus.edits import Edit, drawn
from tests.corpus.operations import STEPS
from tests.corpus.programs import Program, draw, function, point, values
from tests.corpus.test_operations import NEVER, operations

#: Operations that a program is drawn to have, beside those drawn at random.
WANTED = 8

#: Operations that JAX has from 0.12 on; programs are the same for every release.
LATER = {"log2", "polynomial", "call_hi_primitive"}

#: Operations that no program of real numbers on one device has, the judge's own, and what takes a
#: transpose that its caller wrote.
OTHERS = {*GROUPS["Several devices"], *GROUPS["Complex numbers"], "jacobian", "linear_call"}

#: What a program has to have: every operation with a rule that the installed JAX gives to a loss.
COVERED = frozenset(RULES) - frozenset(NEVER) - LATER - OTHERS

#: Points that the judge moves to.
POINTS = 2

Row = dict[str, Any]


def wanted(number: int) -> tuple[str, ...]:
    """The operations of a program: all in turn, each round in another order."""
    keys, at = sorted(STEPS), number * WANTED
    order = [
        key
        for cycle in (at // len(keys), at // len(keys) + 1)
        for key in np.random.default_rng([cycle, 4]).permutation(keys)
    ]
    return tuple(map(str, order[at % len(keys) :][:WANTED]))


def attack(number: int, seed: int, diagnosed: bool) -> list[Row]:
    """Draw a program, and put its right gradient and a wrong one before the judge.

    The number says which operations it has; all else is drawn from the seed.
    """
    program = draw(seed, wanted(number))
    params, data = point(seed)
    shapes = {name: np.shape(v) for name, v in values(program.lines[:-1], params, data).items()}
    return put(program, drawn(program, shapes, seed), seed, diagnosed)


def put(program: Program, edits: Iterable[Edit], seed: int, diagnosed: bool) -> list[Row]:
    """Put a program's gradient before the judge, and that with the first edit that has one.

    Returns:
        One row for each of the two; a single one if JAX's own gradient of the program is not
        finite, as there is nothing to be judged then.
    """
    params, data = point(seed)
    loss = function(program.source)
    with jax.enable_x64(True):
        traced = [jax.make_jaxpr(f)(params, data) for f in (loss, jax.grad(loss))]
    right = gradient(program.source)
    at = [(p, d, right(p, d)) for p, d in points(seed)]
    common = {
        "seed": seed,
        "source": program.source,
        "operations": sorted(
            COVERED & operations(traced[0].jaxpr) | COVERED & operations(traced[1].jaxpr)
        ),
        "equations": len(traced[0].eqns),
    }
    if not _finite(at[0][2]):
        return [{"id": f"{seed}", "part": "neither", **common, "outcome": "no gradient"}]
    common["unconfirmed"] = unconfirmed = confirmed(program.source, at[0][2], params, data)
    row = _judged(f"{seed}-right", right, right, program, seed, diagnosed=False)
    rows = [row | {"part": "right", "outcome": outcome_of_right(row, unconfirmed)}]
    for edit, wrong in _with_gradients(program, edits, params, data):
        changes = [max(change(grads, wrong(p, d)).values()) for p, d, grads in at if _finite(grads)]
        row = _judged(f"{seed}-wrong", wrong, right, program, seed, diagnosed)
        row |= {"part": "wrong", "edit": asdict(edit), "change": changes[0]}
        row["change elsewhere"] = max((c for c in changes[1:] if np.isfinite(c)), default=0.0)
        rows.append(row | {"outcome": outcome_of_wrong(row, unconfirmed)})
        break
    return [common | row for row in rows]


def _finite(grads: Gradient) -> bool:
    return all(bool(np.all(np.isfinite(leaf))) for leaf in grads.values())


def _with_gradients(
    program: Program, edits: Iterable[Edit], params: Any, data: Any
) -> Iterator[tuple[Edit, Any]]:
    """Yield the edits whose program runs and has a finite gradient, and that gradient."""
    for edit in edits:
        wrong = gradient(edit.of(program).source)
        try:
            found = wrong(params, data)
        except Exception:  # whatever JAX says of a text that makes no sense
            continue
        if _finite(found):
            yield edit, wrong


def _judged(name: str, given: Any, right: Any, program: Program, seed: int, diagnosed: bool) -> Row:
    """Ask the judge; return what it says, and what is known of the point that decided."""
    params, data = point(seed)
    row: Row = {"id": name}
    start = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            report = check_gradient(given, function(program.source), params, data, points=POINTS)
    except Exception as error:
        return row | {"verdict": "error", "headline": f"{type(error).__name__}: {error}"}
    row |= {
        "seconds": round(time.perf_counter() - start, 3),
        "verdict": report.verdict,
        "blame": report.blame,
        "headline": report.headline,
        "point": report.point,
        "certificate": report.certificate,
        "accused": [leaf.path for leaf in report.leaves if leaf.verdict == "disagree"],
        "limit": max((leaf.detection_limit for leaf in report.leaves), default=None),
    }
    if report.verdict == "disagree" and report.params is not None:
        here = (given(report.params, data), right(report.params, data))
        row["relations there"] = {f"params['{k}']": v for k, v in relations(*here).items()}
        row["changed there"] = {f"params['{k}']": v for k, v in change(*here).items()}
        row["unconfirmed there"] = confirmed(program.source, here[1], report.params, data)
    if diagnosed:
        start = time.perf_counter()
        row["diagnoses"] = [[d.kind, d.says, list(d.leaves)] for d in report.diagnoses]
        row["seconds to diagnose"] = round(time.perf_counter() - start, 3)
    return row


def outcome_of_right(row: Row, unconfirmed: float) -> str:
    """Return what a verdict on a right gradient is."""
    if row["verdict"] in ("agree", "imprecise"):
        return "right"
    if row["verdict"] != "disagree":
        return row["verdict"]
    # NaN, where JAX's gradient at the point is, is not confirmed either.
    off = np.max([unconfirmed, row["unconfirmed there"]])
    return "false alarm" if off < CONFIRMED else "unconfirmed"


def outcome_of_wrong(row: Row, unconfirmed: float) -> str:
    """Return what a verdict on the gradient of an edited program is."""
    changed = max(row["change"], row["change elsewhere"]) > ROUNDING
    if row["verdict"] == "disagree":
        there = max(row.get("changed there", {"": 1.0}).values())
        return "caught" if there > ROUNDING else "false alarm"
    if row["verdict"] in ("agree", "imprecise"):
        if not changed:
            return "no value changed"
        return "missed" if unconfirmed < CONFIRMED else "unconfirmed"
    return row["verdict"]
