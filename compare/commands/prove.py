"""`compare prove`: prove the hand-written gradient right for all real numbers."""

import time
from decimal import Decimal
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any

import click

from compare.commands.options import PLANT, form_option, kind_options, network_option
from handgrad.commands.options import JSON, Number, option, whole_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compare.proof.lines import Proof

ARTICLE = (2, 2, 1)

#: The most paths from inputs to outputs, of all examples: a minute, at most.
LARGEST = 200

#: Up to so many the loss is the mean of two examples by default.
SMALL = 80


def _examples(text: str) -> Decimal:
    """Parse the number of examples: a power of two, so that 1/n is exact."""
    if (number := whole_number(text)) not in (1, 2, 4):
        raise ValueError
    return number


@click.command(short_help="Prove the gradient by hand right for all real numbers.")
@network_option("2-2-1", "; few, such as 3-3-2 or 2-2-2-1")
@kind_options()
@form_option(otherwise="stable")
@option(
    "--examples",
    type=Number("one of 1, 2, 4", convert=_examples),
    metavar="1|2|4",
    help="How many examples the loss is the mean of.",
    otherwise="2 where the formulas stay small, else 1",
)
@PLANT
@JSON
def prove(as_json: bool, **options: Any) -> int:
    """Prove that every partial derivative by hand is that of the loss.

    The hand-written lines run on symbols, the loss is differentiated, and the difference must be
    identically 0, for all real weights, inputs and targets, in each case of signs. Ends with 0 if
    all is proved, else with 1: refuted at a rational point, or undecided.
    """
    from compare.commands.output import print_object

    begin = time.perf_counter()
    found = _proved(**options)
    if as_json:
        print_object(_as_object(found) | {"seconds": time.perf_counter() - begin})
    else:
        _show(found)
    return int(found.verdict != "proved")


def _proved(
    sizes: tuple[int, ...] | None,
    examples: int | None,
    sigmoid_derivative: str | None,
    plant: str | None,
    **kinds: Any,
) -> "Proof":
    from compare.commands.slugs import slug_of
    from compare.limits import shape
    from compare.proof.lines import prove_article, prove_network
    from compare.traced.kinds import network_of
    from compare.wording import InputError, refused
    from manual.activations import SIGMOID_DERIVATIVES
    from manual.article import gradient
    from models.planted import PLANTS, gradient_in

    kinds = {name: value for name, value in kinds.items() if value is not None}
    sizes = sizes or ARTICLE
    if sizes == ARTICLE and not kinds and examples in (None, 1):
        form = sigmoid_derivative or "stable"
        about = {"network": "2-2-1", "sigmoid_derivative": form, "examples": 1}
        slope = SIGMOID_DERIVATIVES[form]
        if plant is None:
            return prove_article(partial(gradient, derivative=slope), about, lemmas=True)
        slug = slug_of(plant, "--plant")
        return prove_article(gradient_in(PLANTS[slug], form), about | {"plant": slug}, lemmas=False)
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


def _show(found: "Proof") -> None:
    from compare.proof.claims import PROVED, REFUTED
    from compare.terminal import console, show_verdict
    from models.planted import PLANTS

    out = console()
    if slug := found.about.get("plant"):
        out.print(f"{slug}: {PLANTS[slug].says}.\n")
    for claim in [] if found.reason else found.partials:
        formula = f" = {_text(claim.factors)}" if claim.factors else ""
        out.print(f"{claim.says}{formula}  {claim.verdict}", soft_wrap=True)
    if (wrong := found.refutation) and (at := wrong.difference):
        place = ", ".join(f"{name} = {value}" for name, value in at.point.items())
        out.print(f"\n{wrong.says} at {place}:", soft_wrap=True)
        out.print(f"  by hand  {at.by_hand}\n  exact    {at.exact}")
    if not found.reason:
        out.print()
    for lemma in found.also:
        said = lemma.verdict if lemma.verdict == PROVED else f"not {PROVED}"
        out.print(f"{lemma.says}  {said}", soft_wrap=True)
    if found.also:
        out.print()
    verdict, because = found.verdict, found.reason
    if verdict == REFUTED and wrong:
        others = sum(claim.verdict == REFUTED for claim in found.partials) - 1
        more = f", and {others} more are not" if others > 0 else ""
        because = f"{wrong.says} by hand is not the derivative of the loss{more}"
    elif verdict == PROVED:
        verdict, because = _proved_for(found)
    elif not because:
        left = [c.says for c in (*found.partials, *found.also) if c.verdict != PROVED]
        because = f"{', '.join(left)}: formulas that differ, at no point that was tried"
    show_verdict(out, verdict, because)


def _proved_for(found: "Proof") -> tuple[str, str]:
    count, cases = len(found.partials), max(c.cases for c in (*found.partials, *found.also))
    because = f"all {count} partial derivatives by hand are identically those of {found.of}"
    because += f"; in each of {cases} cases of signs" * (cases > 1)
    if found.kinks:
        because += f"; excluded, where there is no derivative: {', '.join(found.kinks)}"
    return f"proved for all real weights and inputs{' but at a kink' * bool(found.kinks)}", because


def _text(factors: "Sequence[Any]") -> str:
    number, *others = factors
    shown = [str(of) if of.is_Symbol or of.is_Pow else f"({of})" for of in others]
    sign = {1: "", -1: "-"}.get(number)
    if sign is not None and shown:
        return sign + " · ".join(shown)
    return " · ".join([str(number), *shown])


def _latex(factors: "Sequence[Any]") -> str | None:
    import sympy as sp

    if not factors:
        return None
    names = {sp.Symbol("ypred"): r"y_{\text{pred}}"}
    shown = [sp.latex(of, symbol_names=names) for of in factors]
    return r" \cdot ".join(rf"({of})" if " " in of else of for of in shown)


def _as_object(found: "Proof") -> dict[str, Any]:
    claims = [*found.partials, *found.also]
    partials = [
        {"name": c.name, "verdict": c.verdict, "latex": _latex(c.factors)} for c in found.partials
    ]
    also = [{"name": c.name, "says": c.says, "proved": c.verdict == "proved"} for c in found.also]
    answer = {"verdict": found.verdict, **found.about, "of": found.of}
    answer |= {"partials": partials, "also": also}
    if found.reason:
        return answer | {"reason": found.reason}
    answer |= {"cases": max(c.cases for c in claims), "kinks": list(found.kinks)}
    if (wrong := found.refutation) and (at := wrong.difference):
        point = {name: str(value) for name, value in at.point.items()}
        answer |= {"partial": wrong.name, "point": point}
        answer |= {"by_hand": at.by_hand, "exact": at.exact}
    return answer
