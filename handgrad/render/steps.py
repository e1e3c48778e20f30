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
    others = sum(not step.report.passes for step in steps.steps) - 1
    more = f"; so {'is' if others == 1 else 'are'} {others} before it" if others else ""
    name = first.name if first else ""
    return f"Going back, {name} is the first step that is wrong{more}. {_kinds(steps)}".rstrip()


def _kinds(steps: "StepsReport") -> str:
    first = steps.first_wrong
    return " ".join(content.diagnoses(first.report)) if first else ""
