"""How the rulings on the steps of a backward pass read."""

from typing import TYPE_CHECKING

from handgrad.render import content

if TYPE_CHECKING:
    from handgrad.steps import StepsReport


def as_text(steps: "StepsReport") -> str:
    """The first wrong step, all of them in the order of the backward pass, and its report."""
    first = steps.first_wrong
    width = max((len(step.name) for step in steps.steps), default=0)
    lines = ["Every step back is right." if first is None else _said(steps), ""]
    lines += [f"  {s.name:{width}}  {s.report.verdict}" for s in reversed(steps.steps)]
    return "\n".join(lines if first is None else [*lines, "", str(first.report)])


def _said(steps: "StepsReport") -> str:
    first = steps.first_wrong
    if first is None:
        return ""
    others = sum(not step.report.passes for step in steps.steps) - 1
    if first.report.verdict == "undecidable":
        how, more, why = "does not pass", "nor do", f"{content.headline(first.report)}."
    else:
        how, more = "is wrong", "so is" if others == 1 else "so are"
        why = " ".join(content.diagnoses(first.report))
    rest = f"; {more} {others} before it" if others else ""
    return f"Going back, {first.name} is the first step that {how}{rest}. {why}".rstrip()
