"""The data of the page: passes through the article's network, computed and checked by Python.

All of it is plain data, for JSON. The page's script recomputes whatever a reader changes with the
program in the data; checks are taken from the passes where the reader's numbers match one.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from compare.people import NEWCOMERS, PEOPLE, SHIFT, Person, raw, shifted, targets
from compare.trace import Quantity, Trace, place
from compare.traced.article import trace_article
from compare.traced.request import SEED, PassRequest
from manual.article import Parameters, draw_parameters, ones_parameters
from study import gallery
from study.formulas import mathml
from study.recorded import recorded

#: The forms of σ' by hand, the default one first.
FORMS = ("stable", "article")

#: The parameters at which passes are checked by Python: the worked example's, and the start of
#: `compare run`.
STARTS: dict[str, dict[str, Any]] = {"ones": {"init": "ones"}, "random": {"seed": SEED}}

#: Where the lessons begin: numbers that are easy to multiply in the head, at which a move of w1 can
#: be seen in all that it moves, and three of four people are on the wrong side.
LESSONS = Parameters(w1=-0.1, w2=0.1, w3=0.05, w4=0.2, w5=-4.0, w6=-2.0, b1=0.0, b2=0.0, b3=3.0)


def of_article() -> dict[str, Any]:
    """Collect all that the page is told.

    Returns:
        `program`: the lines as recorded, and `quantities`: what their names mean; `starts` by key,
        and more to train from, `drawn`, by what they are called; the four `samples`, the article's
        `newcomers`, and the `shift` of their weights and heights; `eta`; `passes`: of all four from
        two starts, in both forms of σ', by hand, by autodiff and exactly; mistakes, `planted` and
        `errata`; `recorded`: what JAX records of the loss.
    """
    (x, *_), (y, *_) = shifted(raw(PEOPLE)), targets(PEOPLE)
    trace = trace_article(LESSONS, x, float(y))
    starts = {"ones": ones_parameters(), "random": draw_parameters(SEED), "lessons": LESSONS}
    return {
        "program": trace.program._asdict(),
        "quantities": [_quantity(of) for of in trace.quantities.values()],
        "starts": {key: _floats(params) for key, params in starts.items()},
        "drawn": [[says, _floats(params)] for says, params in _drawn().items()],
        "samples": [_sample(person) | asdict(person) for person in PEOPLE],
        "newcomers": [asdict(person) for person in NEWCOMERS],
        "shift": SHIFT.tolist(),
        "eta": trace.quantities["η"].by_hand,
        "passes": [_pass(of) for of in _traces()],
        "planted": gallery.planted(),
        "errata": gallery.errata(),
        "recorded": recorded(),
    }


def _drawn() -> dict[str, Parameters]:
    """Return more starts for a training, by what they are called: the article's draw first."""
    seeds = {f"at random (seed {seed})": draw_parameters(seed) for seed in (SEED, *range(6))}
    return {**seeds, "with all weights 1": ones_parameters()}


def _floats(params: Parameters) -> dict[str, float]:
    return {name: float(value) for name, value in params._asdict().items()}


def _traces() -> Iterable[Trace]:
    """Yield the passes that are checked."""
    for form in FORMS:
        for options in STARTS.values():
            for person in PEOPLE:
                name = person.name.lower()
                yield PassRequest(person=name, sigmoid_derivative=form, **options).trace()


def _quantity(quantity: Quantity) -> dict[str, Any]:
    told = ("name", "symbol", "factors", "derivative", "formula", "reason")
    return {
        **{key: getattr(quantity, key) for key in told},
        "where": quantity.file and f"{quantity.file}, line {quantity.line}",
        "statement": quantity.statement,
        "mathml": {
            "symbol": mathml(quantity.latex),
            "formula": quantity.formula_latex and mathml(quantity.formula_latex),
            "places": quantity.places_latex and mathml(quantity.places_latex),
            "worked": _worked(quantity),
        },
    }


#: What a pocket calculator needs to come to σ, or to its slope, at z.
_WORKED = {
    "σ({})": r"\frac{{1}}{{1 + e^{{-{0}}}}}",
    "σ′({})": r"\frac{{e^{{-{0}}}}}{{(1 + e^{{-{0}}})^2}}",
}


def _worked(quantity: Quantity) -> str | None:
    """Return σ, or its slope, by their own arithmetic, with a placeholder for z."""
    if quantity.formula is None or len(quantity.depends_on) != 1:
        return None
    name, _, _ = quantity.formula.partition("(")
    latex = _WORKED.get(f"{name}({{}})")
    return latex and mathml(latex.format(place(quantity.depends_on[0])))


def _pass(trace: Trace) -> dict[str, Any]:
    """Return Python's results, by name."""
    computed = [q for q in trace.quantities.values() if q.step > 0]
    given = [q for q in trace.quantities.values() if q.step == 0]
    told = ("by_hand", "autodiff", "exact", "ulps_by_hand", "ulps_autodiff")
    return {
        "sample": trace.about["whose"],
        "form": trace.about["sigmoid_derivative"],
        "given": {q.name: q.by_hand for q in given},
        **{key: {q.name: getattr(q, key) for q in computed} for key in told},
    }


def _sample(person: Person) -> dict[str, Any]:
    (x,), (y,) = shifted(raw((person,))), targets((person,))
    given = {"x1": float(x[0]), "x2": float(x[1]), "y": float(y)}
    return {"key": person.name.lower(), "given": given}


def formulas(content: dict[str, Any]) -> Iterable[str]:
    """Yield all MathML of the page, to select the font's glyphs."""
    for quantity in content["quantities"]:
        yield from filter(None, quantity["mathml"].values())
    for slip in content["errata"]:
        yield from slip["printed"]["formulas"] + slip["right"]["formulas"]
