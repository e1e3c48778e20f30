"""Find what a custom rule takes for constant, where its derivative is wrong at second order."""

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np

from handgrad.data import formats
from handgrad.data.findings import Diagnosis
from handgrad.data.frames import quoted_line
from handgrad.data.point import vector
from handgrad.judging.case import CustomRule
from handgrad.judging.outcome import Trial
from handgrad.judging.witness import WRONG
from handgrad.program.graph import source_of
from handgrad.program.trace import equations, without_custom_rules

#: Operations through which JAX passes no derivative, and which no derivative should pass.
FLAT = ("round", "floor", "ceil", "sign", "argmax", "argmin")


def stopped(trial: Trial, rule: CustomRule) -> Diagnosis | None:
    """Return the lines of the rule whose `stop_gradient` makes its derivative wrong, if any does.

    The slope of first order is traced with the rule, and differentiated by JAX without some of the
    `stop_gradient`s in it. They are to blame if that is right.
    """
    ruling = trial.outcomes[trial.deciding].ruling
    if rule.slope is None or ruling is None:
        return None
    given = ruling.given
    with jax.enable_x64(given.wide):
        program = jax.make_jaxpr(rule.slope)(list(given.leaves))
        found: dict[str, list[int]] = {}
        flat: dict[str, str] = {}
        for eqn in equations(program.jaxpr):
            source = source_of(eqn)
            if source and eqn.primitive.name == "stop_gradient":
                found.setdefault(quoted_line(source.file, source.line), []).append(id(eqn))
            elif source and _is_flat(eqn):
                flat.setdefault(eqn.primitive.name, quoted_line(source.file, source.line))
        # Without its cause the error is gone but for rounding, of which half the digits are left.
        eps = max(formats.of(leaf.dtype).eps for leaf in given.leaves)
        allowed = eps**0.5 * np.linalg.norm(np.nan_to_num(ruling.exact))

        def explains(passed: Sequence[int]) -> bool:
            def slope(params: Any) -> Any:
                return without_custom_rules(program, params, passed)[0]

            try:
                grads = jax.grad(slope)(list(given.leaves))
            except Exception:  # JAX cannot differentiate all that it can run
                return False
            gaps = vector([np.asarray(g) for g in grads]) - ruling.exact
            return bool(np.linalg.norm(np.nan_to_num(gaps)) <= allowed)

        for lines in _options(list(found)):
            if explains([i for line in lines for i in found[line]]):
                which = "stop_gradient at " + " and ".join(lines)
                says = f"{which} takes for constant what is not: without it every element is right"
                return Diagnosis("unknown", says, _wrong(trial))
    if flat:
        name, line = next(iter(flat.items()))
        says = f"the rule takes for constant what `{name}` gives at {line}: no derivative passes it"
        return Diagnosis("unknown", says, _wrong(trial))
    return None


def _options(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield each line alone, and then all of them."""
    yield from ([line] for line in lines)
    if len(lines) > 1:
        yield lines


def _is_flat(eqn: Any) -> bool:
    name = eqn.primitive.name
    whole = name == "convert_element_type" and jax.numpy.issubdtype(
        eqn.params["new_dtype"], np.integer
    )
    real = any(jax.numpy.issubdtype(v.aval.dtype, np.floating) for v in eqn.invars)
    return real and (whole or name in FLAT)


def _wrong(trial: Trial) -> tuple[str, ...]:
    outcome = trial.outcomes[trial.deciding]
    if outcome.ruling is None:
        return ()
    level = outcome.ruling.yours.level
    pairs = zip(outcome.given.paths, outcome.given.parts(), strict=True)
    return tuple(path for path, part in pairs if (level[part] == WRONG).any())
