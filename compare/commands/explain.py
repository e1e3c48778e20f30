"""`compare explain`: one partial derivative as a product of factors, each with its check."""

from dataclasses import asdict
from typing import Any

from compare.terminal import console, print_object, waiting
from compare.traced.request import PassRequest, named
from compare.traced.terminal import show_explanation


def explain(parameter: str, as_json: bool, **options: Any) -> int:
    """Print a quantity of a pass and what it depends on; 1 if one of these disagrees."""
    with waiting("One pass, and what three witnesses say of every number"):
        trace = PassRequest(**options).trace()
    name = named(trace, parameter)
    chain = trace.before(name)
    verdict = "disagree" if any(q.verdict == "disagree" for q in chain) else "agree"
    if as_json:
        explained = {"quantity": asdict(trace.quantities[name]), "chain": [*map(asdict, chain)]}
        print_object({"about": trace.about, **explained, "verdict": verdict})
    else:
        show_explanation(console(), trace, name)
    return int(verdict == "disagree")
