"""What the page is told: passes through a network as Python has computed and judged them.

All of it is plain data, for JSON. The page's script recomputes what a reader changes, by the
programs that stand in it; what it shows beside a check comes from the passes wherever they fit.
"""

from collections.abc import Iterable
from typing import Any

from compare.people import NEWCOMERS, PEOPLE, SHIFT, Person, raw, shifted
from compare.trace import INPUT, PARAMETER, Quantity, Trace
from compare.traced.asked import SEED, Asked
from study.drawing import drawing, ends
from study.formulas import mathml

#: σ' by hand: first the one that the page begins with.
FORMS = ("stable", "article")

#: Where the article's network is shown with Python's checks: the worked example's parameters, and
#: those that the main job starts from.
STARTS: dict[str, dict[str, Any]] = {"ones": {"init": "ones"}, "random": {"seed": SEED}}


def of_article() -> dict[str, Any]:
    """The article's network and its people, from all starts and with both forms of σ'."""
    traces = {
        (person.name.lower(), start, form): Asked(
            person=person.name.lower(), sigmoid_derivative=form, **options
        ).trace()
        for form in FORMS
        for start, options in STARTS.items()
        for person in PEOPLE
    }
    first = next(iter(traces.values()))
    return {
        **_of_network(first),
        "programs": {form: _program(traces["alice", "ones", form]) for form in FORMS},
        "samples": [_person(person, first) for person in PEOPLE],
        "starts": [
            {
                "key": start,
                "says": traces["alice", start, "stable"].about["parameters"],
                "seed": options.get("seed"),
                "params": _given(traces["alice", start, "stable"], PARAMETER),
            }
            for start, options in STARTS.items()
        ],
        "passes": [
            {"sample": person, "start": start, "form": form} | _pass(trace)
            for (person, start, form), trace in traces.items()
        ],
        "people": {
            "shift": SHIFT.tolist(),
            "trained": [_measured(person) for person in PEOPLE],
            "newcomers": [_measured(person) for person in NEWCOMERS],
        },
    }


def of_pass(trace: Trace) -> dict[str, Any]:
    """A network and an example of the reader's own."""
    sample, start = "example", "given"
    about = trace.about
    return {
        **_of_network(trace),
        "programs": {about.get("sigmoid_derivative", FORMS[0]): _program(trace)},
        "samples": [{"key": sample, "name": about["whose"], "given": _sample(trace)}],
        "starts": [
            {
                "key": start,
                "says": about["parameters"],
                "seed": None,
                "params": _given(trace, PARAMETER),
            }
        ],
        "passes": [
            {
                "sample": sample,
                "start": start,
                "form": about.get("sigmoid_derivative", FORMS[0]),
            }
            | _pass(trace)
        ],
        "people": None,
    }


def _of_network(trace: Trace) -> dict[str, Any]:
    """What is the same at all numbers."""
    drawn = drawing(trace)
    return {
        "about": trace.about,
        "quantities": [_quantity(quantity) for quantity in trace.quantities.values()],
        "steps": [step._asdict() for step in trace.steps],
        "drawing": drawn,
        "parameters": trace.parameters(),
        "outputs": [unit["a"] for unit in drawn["layers"][-1]],
        "eta": next(q.by_hand for q in trace.quantities.values() if q.name == ends(trace)["rate"]),
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
        "where": quantity.file and f"{quantity.file}, line {quantity.line}",
        "statement": quantity.statement,
        "mathml": {
            "symbol": mathml(quantity.latex),
            "formula": quantity.formula_latex and mathml(quantity.formula_latex),
            "places": quantity.places_latex and mathml(quantity.places_latex),
        },
    }


def _program(trace: Trace) -> dict[str, Any]:
    return {
        "lines": [
            [line.operation, line.operands, line.value, line.called] for line in trace.program.lines
        ],
        "at": dict(trace.program.at),
    }


def _pass(trace: Trace) -> dict[str, Any]:
    """What Python has found, by name."""
    computed = [q for q in trace.quantities.values() if q.step > 0]
    given = [q for q in trace.quantities.values() if q.step == 0]
    return {
        "given": {q.name: q.by_hand for q in given},
        "by_hand": {q.name: q.by_hand for q in computed},
        "autodiff": {q.name: q.autodiff for q in computed},
        "exact": {q.name: q.exact for q in computed},
        "ulps_by_hand": {q.name: q.ulps_by_hand for q in computed},
        "ulps_autodiff": {q.name: q.ulps_autodiff for q in computed},
        "verdict": {q.name: q.verdict for q in computed},
    }


def _given(trace: Trace, kind: str) -> dict[str, float]:
    return {q.name: q.by_hand for q in trace.quantities.values() if q.kind == kind}


def _sample(trace: Trace) -> dict[str, float]:
    """The inputs and targets of the example; η and λ belong to no example."""
    named = _given(trace, INPUT)
    used = {name for q in trace.quantities.values() if q.step for name in q.depends_on}
    return {name: named[name] for name in named if name in used and name not in _CONSTANTS}


_CONSTANTS = ("η", "λ")


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
    """All MathML of the page, so that its font has what they need."""
    for quantity in content["quantities"]:
        yield from filter(None, quantity["mathml"].values())
