"""`compare prove`: prove the hand-written gradient right for all real numbers."""

import time
from collections.abc import Sequence
from functools import partial
from math import prod
from typing import Any

import sympy as sp

from compare.limits import shape
from compare.proof import PROVED, REFUTED, Proof, prove_article, prove_network
from compare.terminal import console, print_object, show_verdict
from compare.traced.kinds import network_of
from compare.wording import InputError, refused
from manual.activations import SIGMOID_DERIVATIVES
from manual.article import gradient
from models.planted import PLANTS, gradient_in

ARTICLE = (2, 2, 1)

#: The most paths from inputs to outputs, of all examples: a minute, at most.
LARGEST = 200

#: Up to so many the loss is the mean of two examples by default.
SMALL = 80


def prove(as_json: bool, **options: Any) -> int:
    """Prove, and print every claim; 1 if one of these is not proved."""
    begin = time.perf_counter()
    found = _proved(**options)
    if as_json:
        print_object(_as_object(found) | {"seconds": time.perf_counter() - begin})
    else:
        _show(found)
    return int(found.worst.verdict != PROVED)


def _proved(
    sizes: tuple[int, ...] | None,
    examples: int | None,
    sigmoid_derivative: str | None,
    plant: str | None,
    **kinds: Any,
) -> Proof:
    kinds = {name: value for name, value in kinds.items() if value is not None}
    sizes = sizes or ARTICLE
    if sizes == ARTICLE and not kinds and examples in (None, 1):
        form = sigmoid_derivative or "stable"
        about = {"network": "2-2-1", "sigmoid_derivative": form, "examples": 1}
        slope = SIGMOID_DERIVATIVES[form]
        if plant is None:
            return prove_article(partial(gradient, derivative=slope), about, lemmas=True)
        planted = gradient_in(PLANTS[plant], form)
        return prove_article(planted, about | {"plant": plant}, lemmas=False)
    for name, value in (("plant", plant), ("sigmoid-derivative", sigmoid_derivative)):
        if value is not None:
            expected = "the article's, 2-2-1 without further options"
            raise InputError(f"--{name} beside a network of another kind; expected {expected}")
    network = network_of(sizes, kinds)
    if "gelu" in network.activations:
        raise InputError(
            "gelu is not attempted: its lines hold √½ and √π rounded to floats, and with these "
            "they are the derivative only nearly; expected another activation"
        )
    paths = prod(sizes)
    examples = examples or (2 if 2 * paths <= SMALL else 1)
    if examples * paths > LARGEST:
        found = f"{shape(sizes)} has {paths} paths from inputs to outputs, with {examples} example"
        found += "s" * (examples > 1)
        raise refused("not attempted: too large", found, f"at most {LARGEST} in all")
    about = {"network": shape(sizes), "activation": network.activation, "output": network.output}
    about |= {"loss": network.loss, "l2": network.l2, "examples": examples}
    return prove_network(network, examples, about)


def _show(found: Proof) -> None:
    out = console()
    if slug := found.about.get("plant"):
        out.print(f"{slug}: {PLANTS[slug].says}.\n")
    for claim in [] if found.reason else found.partials:
        formula = f" = {_text(claim.factors)}" if claim.factors else ""
        out.print(f"{claim.says}{formula}  {claim.verdict}", soft_wrap=True)
    worst = found.worst
    if at := worst.difference:
        place = ", ".join(f"{name} = {value}" for name, value in at.point.items())
        out.print(f"\n{worst.says} at {place}:", soft_wrap=True)
        out.print(f"  by hand  {at.by_hand}\n  exact    {at.exact}")
    if not found.reason:
        out.print()
    for lemma in found.also:
        said = lemma.verdict if lemma.verdict == PROVED else f"not {PROVED}"
        out.print(f"{lemma.says}  {said}", soft_wrap=True)
    if found.also:
        out.print()
    verdict, because = worst.verdict, found.reason
    if verdict == REFUTED:
        others = sum(claim.verdict == REFUTED for claim in found.partials) - 1
        more = f", and {others} more are not" if others > 0 else ""
        because = f"{worst.says} by hand is not the derivative of the loss{more}"
    elif verdict == PROVED:
        verdict, because = _proved_for(found)
    elif not because:
        left = [c.says for c in (*found.partials, *found.also) if c.verdict != PROVED]
        because = f"{', '.join(left)}: formulas that differ, at no point that was tried"
    show_verdict(out, verdict, because)


def _proved_for(found: Proof) -> tuple[str, str]:
    count, cases = len(found.partials), found.worst.cases
    because = f"all {count} partial derivatives by hand are identically those of {found.of}"
    because += f"; in each of {cases} cases of signs" * (cases > 1)
    if found.kinks:
        because += f"; excluded, where there is no derivative: {', '.join(found.kinks)}"
    return f"proved for all real weights and inputs{' but at a kink' * bool(found.kinks)}", because


def _text(factors: Sequence[Any]) -> str:
    number, *others = factors
    shown = [str(of) if of.is_Symbol or of.is_Pow else f"({of})" for of in others]
    sign = {1: "", -1: "-"}.get(number)
    if sign is not None and shown:
        return sign + " · ".join(shown)
    return " · ".join([str(number), *shown])


def _latex(factors: Sequence[Any]) -> str | None:
    if not factors:
        return None
    names = {sp.Symbol("ypred"): r"y_{\text{pred}}"}
    shown = [sp.latex(of, symbol_names=names) for of in factors]
    return r" \cdot ".join(rf"({of})" if " " in of else of for of in shown)


def _as_object(found: Proof) -> dict[str, Any]:
    partials = [
        {"name": c.name, "verdict": c.verdict, "latex": _latex(c.factors)} for c in found.partials
    ]
    also = [{"name": c.name, "says": c.says, "proved": c.verdict == PROVED} for c in found.also]
    worst = found.worst
    answer = {"verdict": worst.verdict, **found.about, "of": found.of}
    answer |= {"partials": partials, "also": also}
    if found.reason:
        return answer | {"reason": found.reason}
    answer |= {"cases": worst.cases, "kinks": list(found.kinks)}
    if at := worst.difference:
        point = {name: str(value) for name, value in at.point.items()}
        answer |= {"partial": worst.name, "point": point}
        answer |= {"by_hand": at.by_hand, "exact": at.exact}
    return answer
