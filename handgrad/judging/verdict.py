"""Sum up the outcomes in a judgement: verdict, blame, findings, every leaf's worst element."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from handgrad.arithmetic import balls
from handgrad.arithmetic.levels import DOUBTFUL, RIGHT, ROUNDED, WRONG
from handgrad.data import formats
from handgrad.data.findings import Enclosure, Finding, LeafReport
from handgrad.data.numerals import plural
from handgrad.data.point import index_of
from handgrad.judging import limits, short_formats
from handgrad.judging.case import Case
from handgrad.judging.domains import right_in_domains
from handgrad.judging.exits import Exit, exits, kept_by
from handgrad.judging.findings import findings, right_value, worst_element
from handgrad.judging.judgement import Judgement
from handgrad.judging.outcome import Outcome, Trial
from handgrad.judging.ruling import Ruling
from handgrad.judging.witness import VERDICT, Witness
from handgrad.program.programs import custom_rules

#: The most parameters to name.
FEW_LEAVES = 3


def judgement(trial: Trial, reproduce: str, strict: bool) -> Judgement:
    """Sum up a trial; `reproduce` is the call that gives the judgement again."""
    case, outcomes, i = trial.case, trial.outcomes, trial.deciding
    deciding = outcomes[i]
    verdict, blame = _verdict(deciding, outcomes)
    found = findings(deciding, case)
    if verdict == "disagree":
        found += tuple(short_formats.lower_precision(outcomes, i, case))
    rulings = [outcome.ruling for outcome in outcomes if outcome.ruling]
    also = case.claim.observed(deciding.ruling) if deciding.ruling else []
    left = exits(outcomes, case)
    warnings = [*_outside(left, len(rulings), outcomes, case), *_warnings(outcomes, i, verdict)]
    if trial.stopped and not deciding.findings:
        warnings.append(trial.stopped)
    warnings += [
        *short_formats.zeros(outcomes, i),
        *_uncertain(rulings),
        *_unused_trust(rulings, case),
        *_left_out(rulings),
    ]
    warnings += of_variation(trial)
    if verdict in ("agree", "imprecise"):
        warnings += case.claim.blind_spots(rulings)
    return Judgement(
        verdict=verdict,
        blame=blame,
        headline=_headline(verdict, blame, deciding, i, found, rulings, left.get(i, []), case),
        observed=(*found, *also),
        warnings=tuple(warnings),
        certificate=_certificate(rulings, case) if rulings else "nothing was judged",
        reproduce=reproduce,
        points=len(rulings),
        dropped=sum(outcome.dropped for outcome in outcomes),
        point=i,
        params=case.claim.of_caller(deciding.given).params,
        strict=strict,
        certified=all(ruling.reference.certified for ruling in rulings),
        trial=trial,
    )


def _certificate(rulings: Sequence[Ruling], case: Case) -> str:
    how = case.claim.certificate(rulings[0], case.wording.loss.removeprefix("the "))
    return how + (_not_certified(rulings) if rulings[0].reference.certified else "")


def of_variation(trial: Trial) -> list[str]:
    """Say how far calls of the gradient at one point lie apart, if they do."""
    if trial.varies is None:
        return []
    return [f"{trial.case.wording.gradient} varies at the same point: {trial.varies}"]


def _verdict(deciding: Outcome, outcomes: Sequence[Outcome]) -> tuple[str, str | None]:
    ruling = deciding.ruling
    theirs = ruling.autodiff.worst if ruling else RIGHT
    if deciding.wrong:
        return "disagree", "both" if theirs == WRONG and ruling else "yours"
    if ruling is None:
        return "undecidable", None
    mine = max(ruling.yours.worst, ROUNDED if deciding.shorter else RIGHT)
    if mine == RIGHT:
        wrong_elsewhere = any(o.ruling and o.ruling.autodiff.worst == WRONG for o in outcomes)
        return "agree", "autodiff" if theirs > RIGHT or wrong_elsewhere else None
    return VERDICT[mine], "both" if theirs > RIGHT else "yours"


def leaves(trial: Trial) -> tuple[LeafReport, ...]:
    """Return the reports on the leaves; none if the result has not the form of a gradient."""
    ruling = trial.outcomes[trial.deciding].ruling
    if ruling is None:
        return ()
    others = [o.ruling for o in trial.outcomes if o.ruling and o.ruling is not ruling]
    given, caught = ruling.given, limits.of_elements([ruling, *others])
    return tuple(
        _leaf(ruling, path, leaf, part, caught[part])
        for path, leaf, part in zip(given.paths, given.leaves, given.parts(), strict=True)
    )


def _leaf(
    ruling: Ruling, path: str, leaf: np.ndarray, part: slice, caught: np.ndarray
) -> LeafReport:
    if not leaf.size:
        return _without_numbers(path, leaf, "agree", 0.0, Enclosure("0", 0.0))
    if not ruling.reference.known[part].any():
        # Time was short.
        return _without_numbers(path, leaf, "not judged", np.nan, Enclosure("0", np.inf, False))
    i = worst_element(ruling, part)
    exact = right_value(ruling, i)
    return LeafReport(
        path=path,
        shape=leaf.shape,
        dtype=leaf.dtype.name,
        verdict=VERDICT[int(ruling.yours.level[part].max())],
        index=index_of(ruling.given, path, i - part.start),
        yours=float(ruling.yours.answer[i]),
        autodiff=float(ruling.autodiff.answer[i]),
        exact=exact,
        ulps=ulps(ruling.yours, i, leaf.dtype) if exact.certified or float(exact) else np.nan,
        ulps_autodiff=ulps(ruling.autodiff, i, leaf.dtype),
        sharp=float(ruling.tolerance.sharp[i]),
        loose=float(ruling.tolerance.loose[i]),
        detection_limit=limits.of_leaf(ruling, part, caught),
        elements=leaf.size,
        judged=int(ruling.reference.known[part].sum()),
        arithmetic=short_formats.arithmetic_of(ruling, leaf),
        factor_limit=limits.of_factor(ruling, path),
    )


def _without_numbers(
    path: str, leaf: np.ndarray, verdict: str, number: float, exact: Enclosure
) -> LeafReport:
    numbers = (number, number, exact, number, number, number, number, number)
    return LeafReport(path, leaf.shape, leaf.dtype.name, verdict, (), *numbers, leaf.size, 0)


def ulps(witness: Witness, i: int, dtype: Any) -> float:
    """Return |answer - exact| / ulp(exact), in the dtype of the parameters."""
    with np.errstate(over="ignore"):
        exact = balls.midpoints(witness.reference[i : i + 1]).astype(dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        return float(witness.gap[i] / formats.spacing(np.abs(exact))[0])


def _warnings(outcomes: Sequence[Outcome], deciding: int, verdict: str) -> list[str]:
    rulings = [o.ruling for i, o in enumerate(outcomes) if o.ruling and i != deciding]
    warnings = []
    lost = sum(r.yours.worst == ROUNDED for r in rulings)
    if lost:
        warnings.append(
            f"digits are lost to rounding at {lost} of {len(outcomes) - 1} other points"
        )
    raised = [o for o in outcomes[1:] if o.cause and o.cause.startswith("the gradient raised")]
    if raised:
        warnings.append(f"{raised[0].cause}, at {len(raised)} of {len(outcomes) - 1} other points")
    doubtful = sum(r.yours.worst == DOUBTFUL for r in rulings)
    doubtful += sum(o.cause is not None and not o.dropped for o in outcomes[1:]) - len(raised)
    if doubtful:
        warnings.append(f"undecidable at {doubtful} of {len(outcomes) - 1} other points")
    dropped = sum(o.dropped for o in outcomes[1:])
    if dropped:
        left_out = f"{dropped} of {len(outcomes) - 1} other points left out"
        warnings.append(f"{left_out}: the loss is not finite there, or raises")
    theirs = sum(r.autodiff.worst in (ROUNDED, DOUBTFUL) for r in rulings)
    # Where yours is wrong, that is not news.
    if theirs and verdict != "disagree":
        warnings.append(f"autodiff loses digits at {theirs} of {len(outcomes) - 1} other points")
    return warnings


def _outside(
    left: dict[int, list[Exit]], judged: int, outcomes: Sequence[Outcome], case: Case
) -> list[str]:
    """Say that the gradient is wrong only where parameters are no longer what they were."""
    if not left:
        return []
    i, exits = next(iter(left.items()))
    where = "the given point" if judged - len(left) == 1 else f"{judged - len(left)} points"
    elements = ", ".join(e.element for e in exits[:FEW_LEAVES])
    given, option = case.claim.of_caller(outcomes[0].given), case.wording.domain
    taken = exits[:FEW_LEAVES]
    if case.claim.of_hessian:
        taken = [e for e in taken if e.domain and not e.domain.projects]
    said = list(kept_by(taken, given, option))
    domains = f"say {' and '.join(said)}, or " if said else ""
    return [
        f"right at {where}, wrong only where {_said(exits)}: at point {i}, {elements}; if that "
        f"cannot be, {domains}{case.wording.elsewhere}"
    ]


def _said(exits: Sequence[Exit]) -> str:
    return " and ".join(f"{e.path} {e.left}" for e in exits[:FEW_LEAVES])


def _uncertain(rulings: Sequence[Ruling]) -> list[str]:
    for ruling in rulings:
        known = ruling.reference.known
        if not ruling.reference.certified:
            what = ruling.reference.obstacle
            return [f"not certified: {what}" if what else ruling.reference.how]
        if not known.all():
            return [f"only {ruling.judged_of_all} judged"]
    return []


def _left_out(rulings: Sequence[Ruling]) -> list[str]:
    """Say what iterations that stop at a tolerance leave out, at the first point."""
    if not rulings or not rulings[0].left_out.any() or not rulings[0].reference.certified:
        return []
    left_out, exact = rulings[0].left_out, np.abs(rulings[0].exact)
    i = int(np.argmax(left_out / np.fmax(exact, np.finfo(np.float64).tiny)))
    what = f"{left_out[i]:.2g} of an element of size {exact[i]:.2g}"
    return [
        f"the loss stops an iteration at a tolerance, which leaves out up to {what}: errors up to "
        "that are not wrong"
    ]


def _unused_trust(rulings: Sequence[Ruling], case: Case) -> list[str]:
    if not rulings:
        return []
    problem = rulings[0].problem
    unused = problem.trusted.difference(custom_rules(problem.traced.loss))
    return [
        f"{case.wording.trust_rules}: the loss has no custom rule {name!r}"
        for name in sorted(unused)
    ]


def _headline(
    verdict: str,
    blame: str | None,
    deciding: Outcome,
    i: int,
    findings: tuple[Finding, ...],
    rulings: Sequence[Ruling],
    left: Sequence[Exit],
    case: Case,
) -> str:
    where = f" {case.condition}" if case.condition else ""
    where += " in the tangent space" if case.tangent(deciding.given) else ""
    where += f" at point {i}" if i else ""
    where += f", where {_said(left)}" if left else ""
    if verdict == "agree":
        right = case.claim.what_is_right(deciding.ruling) if deciding.ruling else ""
        inside = "in the tangent space " if case.tangent(deciding.given) else ""
        what = f"{inside}{right} at the given point, "
        what += f"{plural(len(rulings), 'point')} judged"
        what += "; autodiff is off" if blame == "autodiff" else ""
        return f"agree: {what}{_not_certified(rulings)}"
    if deciding.ruling is None and not findings:
        return f"undecidable: {deciding.cause}"
    worst = findings[0] if findings else None
    leaf = f"{worst.leaf}: " if worst and worst.leaf else ""
    whose = {"yours": "", "both": "; autodiff is off, too", "autodiff": "", None: ""}[blame]
    only = "".join(f"; {so}" for so in _right_in_domains(deciding, case))
    sample = _of_a_sample(deciding)
    if case.claim.why and verdict == "disagree":
        whose, only = f"; {case.claim.why}", ""
    if case.nonlinear and verdict == "disagree":
        only += f"; {case.wording.gradient} is not linear in its {case.nonlinear}"
    sample += _not_certified([deciding.ruling]) if deciding.ruling else ""
    return f"{verdict}{where}: {leaf}{worst.detail if worst else ''}{whose}{only}{sample}"


def _right_in_domains(deciding: Outcome, case: Case) -> list[str]:
    # In most of these domains no Hessian is judged.
    claim = case.claim
    no_domains = claim.of_hessian or claim.order == 0 or claim.along_directions
    if deciding.ruling is None or no_domains:
        return []
    return list(right_in_domains(deciding.ruling, case))[:FEW_LEAVES]


def _not_certified(rulings: Sequence[Ruling]) -> str:
    """Say that the right gradients are not certified: at the first point, or at which others."""
    count = sum(not ruling.reference.certified for ruling in rulings)
    if not count or not rulings[0].reference.certified:
        return "; not certified" if count else ""
    return f"; not certified at {count} of {len(rulings) - 1} other points"


def _of_a_sample(deciding: Outcome) -> str:
    if deciding.ruling is None or deciding.whole:
        return ""
    return f"; only {deciding.ruling.judged_of_all} were judged"
