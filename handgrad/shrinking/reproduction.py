"""The call of a check that gives a case again, as code."""

from collections.abc import Sequence

from handgrad.data.domains.named import written
from handgrad.data.names import argument_names, numbered
from handgrad.judging.case import Case
from handgrad.judging.claim import Check
from handgrad.shrinking.literals import Group, laid_out


def names_of(check: Check, count: int) -> tuple[str, ...]:
    """Return names for the arguments: those of the function's parameters, if known."""
    names = argument_names(check.like, count, numbered("x", count))
    return tuple(name if name.isidentifier() else f"x{i}" for i, name in enumerate(names))


def lines(
    case: Case, check: Check, functions: Sequence[str], names: Sequence[str], by_name: Sequence[str]
) -> list[str]:
    """Write the lines that make the check.

    Args:
        case, check: the case, and the call that gives it again.
        functions, by_name: what the functions of the call are called.
        names: what the arguments are called.
    """
    given = [name for i, name in enumerate(names) if i not in check.keywords]
    given += [f"{keyword}={names[i]}" for i, keyword in check.keywords.items()]
    given += [f"{name}={f}" for (_, name), f in zip(check.by_name, by_name, strict=True)]
    options = [f"{name}={value}" for name, value in _options(case, check).items()]
    return laid_out("", Group(f"{check.assertion}(", (*functions, *given, *options), ")"))


def _options(case: Case, check: Check) -> dict[str, str]:
    """Write the options of the call that are not the default."""
    texts = case.written()
    if case.domain is not None:
        texts["domain"] = written(case.domain)  # masks as arrays
    texts |= check.options
    return {"points": "0"} | {name: text.replace("'", '"') for name, text in texts.items()}
