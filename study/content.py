"""The data of the page: passes through a network, computed and checked by Python.

All of it is plain data, for JSON. The page's script recomputes whatever a reader changes with the
programs in the data; checks are taken from the passes where the reader's numbers match one.
"""

from collections.abc import Iterable
from typing import Any

from compare.people import NEWCOMERS, PEOPLE, SHIFT, Person, raw, shifted, targets
from compare.trace import INPUT, PARAMETER, Quantity, Trace, place
from compare.traced.article import trace_article
from compare.traced.request import SEED, PassRequest
from manual.article import Parameters, draw_parameters, ones_parameters
from study import gallery
from study.digits import stored
from study.drawing import drawing, ends
from study.errata import USUAL, errata
from study.formulas import mathml
from study.mistakes import mistakes
from study.recorded import recorded
from study.tape import jaxpr, listing

#: The forms of σ' by hand, the default one first.
FORMS = ("stable", "article")

#: The parameters at which passes are checked by Python: the worked example's, and the start of
#: `compare run`.
STARTS: dict[str, dict[str, Any]] = {"ones": {"init": "ones"}, "random": {"seed": SEED}}


def of_article(request: PassRequest = PassRequest()) -> dict[str, Any]:  # noqa: B008 (frozen)
    """Collect the data of the article's network and people, from all starts, with both forms of σ'.

    Args:
        request: the pass that the page begins with: person, parameters, form of σ' and η.

    Raises:
        InputError: options that do not go together.
    """
    first = request.trace()
    traces = _traces(request.learning_rate)
    return {
        **_of_network(first),
        "begin": {
            "sample": first.about["whose"].lower(),
            "seed": None
            if request.init == "ones"
            else SEED
            if request.seed is None
            else request.seed,
            "form": first.about["sigmoid_derivative"],
        },
        "programs": {form: _program(traces["alice", "ones", form]) for form in FORMS},
        "samples": [_person(person, first) for person in PEOPLE],
        "starts": [_start(start, traces["alice", start, "stable"]) for start in STARTS],
        "passes": _each_once([_pass(trace) for trace in (first, *traces.values())]),
        "usual": USUAL,
        "mistakes": mistakes(),
        "people": {
            "shift": SHIFT.tolist(),
            "trained": [_measured(person) for person in PEOPLE],
            "newcomers": [_measured(person) for person in NEWCOMERS],
        },
        "errata": errata(),
    }


def _traces(learning_rate: float) -> dict[tuple[str, str, str], Trace]:
    """Return the passes that are checked, by person, start and form of σ'."""
    return {
        (person.name.lower(), start, form): PassRequest(
            person=person.name.lower(),
            sigmoid_derivative=form,
            learning_rate=learning_rate,
            **options,
        ).trace()
        for form in FORMS
        for start, options in STARTS.items()
        for person in PEOPLE
    }


#: Where the lessons begin: numbers that are easy to multiply in the head, at which a move of w1 can
#: be seen in all that it moves, and three of four people are on the wrong side.
LESSONS = Parameters(w1=-0.1, w2=0.1, w3=0.05, w4=0.2, w5=-4.0, w6=-2.0, b1=0.0, b2=0.0, b3=3.0)


def of_lessons() -> dict[str, Any]:
    """Collect the data of the lessons: the lines as recorded, the starts, and the people."""
    x, y = shifted(raw(PEOPLE)), targets(PEOPLE)
    trace = trace_article(LESSONS, x[0], float(y[0]))
    starts = {"ones": ones_parameters(), "random": draw_parameters(SEED), "lessons": LESSONS}
    rate = trace.quantities[ends(trace)["rate"]].by_hand
    return {
        "program": _program(trace),
        "quantities": [_quantity(of) for of in trace.quantities.values()],
        "starts": {
            key: {name: float(value) for name, value in params._asdict().items()}
            for key, params in starts.items()
        },
        "samples": [_person(person, trace) | _measured(person) for person in PEOPLE],
        "shift": SHIFT.tolist(),
        "eta": rate,
        "passes": [_pass(of) for of in _traces(rate).values()],
        "drawn": [
            [says, {name: float(value) for name, value in params._asdict().items()}]
            for says, params in _drawn().items()
        ],
        "newcomers": [_measured(person) for person in NEWCOMERS],
        "planted": gallery.planted(),
        "errata": gallery.errata(),
        "recorded": recorded(),
    }


def _drawn() -> dict[str, Parameters]:
    """Return more starts for a training, by what they are called: the article's draw first."""
    seeds = {f"at random (seed {seed})": draw_parameters(seed) for seed in (SEED, *range(6))}
    return {**seeds, "with all weights 1": ones_parameters()}


def _each_once(passes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Drop passes that equal an earlier one."""
    return [of for k, of in enumerate(passes) if of not in passes[:k]]


def _start(key: str, trace: Trace) -> dict[str, Any]:
    """Return start parameters of passes and trainings."""
    return {
        "key": key,
        "says": trace.about["parameters"],
        "seed": STARTS.get(key, {}).get("seed"),
        "params": _given(trace, PARAMETER),
    }


def _of_network(trace: Trace) -> dict[str, Any]:
    """Return the data that do not depend on the point."""
    drawn = drawing(trace)
    return {
        "about": trace.about,
        "quantities": [_quantity(quantity) for quantity in trace.quantities.values()],
        "steps": [step._asdict() for step in trace.steps],
        "drawing": drawn,
        "parameters": trace.parameters(),
        "outputs": [unit["a"] for unit in drawn["layers"][-1]],
        "digits": stored(),
        "eta": trace.quantities[ends(trace)["rate"]].by_hand,
        "jaxpr": jaxpr(trace),
        "listing": listing(),
        **ends(trace),
    }


def _quantity(quantity: Quantity) -> dict[str, Any]:
    return {
        "name": quantity.name,
        "symbol": quantity.symbol,
        "kind": quantity.kind,
        "step": quantity.step,
        "depends_on": quantity.depends_on,
        "factors": quantity.factors,
        "derivative": quantity.derivative,
        "formula": quantity.formula,
        "reason": quantity.reason,
        "where": _where(quantity),
        "statement": quantity.statement,
        "mathml": {
            "symbol": mathml(quantity.latex),
            "formula": quantity.formula_latex and mathml(quantity.formula_latex),
            "places": quantity.places_latex and mathml(quantity.places_latex),
            "worked": _worked(quantity),
        },
    }


def _where(quantity: Quantity) -> str | None:
    return quantity.file and f"{quantity.file}, line {quantity.line}"


#: What a pocket calculator needs to come to an activation, or to its slope, at z.
_WORKED = {
    "σ({})": r"\frac{{1}}{{1 + e^{{-{0}}}}}",
    "σ′({})": r"\frac{{e^{{-{0}}}}}{{(1 + e^{{-{0}}})^2}}",
    "tanh({})": r"\frac{{e^{{{0}}} - e^{{-{0}}}}}{{e^{{{0}}} + e^{{-{0}}}}}",
    "tanh′({})": r"\frac{{4}}{{(e^{{{0}}} + e^{{-{0}}})^2}}",
}


def _worked(quantity: Quantity) -> str | None:
    """Return an activation by its own arithmetic, with a placeholder for z."""
    if quantity.formula is None or len(quantity.depends_on) != 1:
        return None
    name, _, _ = quantity.formula.partition("(")
    latex = _WORKED.get(f"{name}({{}})")
    return latex and mathml(latex.format(place(quantity.depends_on[0])))


def _program(trace: Trace) -> dict[str, Any]:
    return {
        "lines": [
            [line.operation, line.operands, line.value, line.called] for line in trace.program.lines
        ],
        "at": dict(trace.program.at),
    }


def _pass(trace: Trace) -> dict[str, Any]:
    """Return Python's results, by name."""
    computed = [q for q in trace.quantities.values() if q.step > 0]
    given = [q for q in trace.quantities.values() if q.step == 0]
    about = trace.about
    return {
        "sample": about["whose"],
        "form": about.get("sigmoid_derivative", FORMS[0]),
        "given": {q.name: q.by_hand for q in given},
        "by_hand": {q.name: q.by_hand for q in computed},
        "autodiff": {q.name: q.autodiff for q in computed},
        "exact": {q.name: q.exact for q in computed},
        "ulps_by_hand": {q.name: q.ulps_by_hand for q in computed},
        "ulps_autodiff": {q.name: q.ulps_autodiff for q in computed},
    }


def _given(trace: Trace, kind: str) -> dict[str, float]:
    return {q.name: q.by_hand for q in trace.quantities.values() if q.kind == kind}


#: Inputs of a pass that belong to no example.
_CONSTANTS = ("η", "λ")


def _sample(trace: Trace) -> dict[str, float]:
    """Return the inputs and targets of the example."""
    return {n: of for n, of in _given(trace, INPUT).items() if n not in _CONSTANTS}


def _person(person: Person, trace: Trace) -> dict[str, Any]:
    (x,) = shifted(raw((person,)))
    inputs = dict(zip(drawing(trace)["inputs"], x.tolist(), strict=True))
    target = next(name for name in _sample(trace) if name not in inputs)
    return {
        "key": person.name.lower(),
        "name": person.name,
        "given": {**inputs, target: float(person.gender == "F")},
    }


def _measured(person: Person) -> dict[str, Any]:
    return {
        "name": person.name,
        "weight": person.weight,
        "height": person.height,
        "gender": person.gender,
    }


def formulas(content: dict[str, Any]) -> Iterable[str]:
    """Yield all MathML of the page, to select the font's glyphs."""
    for quantity in content["quantities"]:
        yield from filter(None, quantity["mathml"].values())
    for slip in content.get("errata", ()):
        yield from slip["printed"]["formulas"] + slip["right"]["formulas"]
