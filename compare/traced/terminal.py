"""Print a pass on a terminal: the factor tree of one quantity, and the micro-steps."""

from collections.abc import Iterable
from decimal import Decimal
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from compare.recording.formula import plain
from compare.terminal import DIGITS, number, table, ulps
from compare.trace import GRADIENT, Quantity, Step, Trace
from compare.traced.kinds import KINDS
from handgrad.data.numerals import right_digits

#: The columns of a tree's level, and the fewest that a formula gets however deep it stands.
LEVEL, FEWEST = 4, 24

#: Beyond so many ulps, the number of digits left is printed as well.
MANY_ULPS = 1e6


def show_explanation(out: Console, trace: Trace, name: str) -> None:
    """Print one quantity: its formula in symbols and numbers, the result, and its factors' origin.

    Args:
        out: the console.
        trace: the pass.
        name: the quantity's name.
    """
    quantity, width = trace.quantities[name], _width(out)
    out.print(f"{quantity.symbol} {_point(trace)}\n", width=width)
    out.print(_equation(trace, quantity), width=width)
    if quantity.formula is None:
        return
    out.print(f"\n{quantity.reason}", width=width)
    if quantity.kind == GRADIENT:
        out.print(f"\n{_meaning(quantity)}", width=width)
    out.print(f"\n{quantity.file}, line {quantity.line}: {quantity.statement}", soft_wrap=True)
    out.print("\nEach number and its check:\n")
    parts = [trace.quantities[factor] for factor in quantity.factors or quantity.depends_on]
    out.print(_checks([part for part in (*parts, quantity) if part.formula], out, width))
    out.print("\nWhere each comes from, down to what is given:\n")
    out.print(_tree(trace, quantity, width), width=width)
    out.print()
    show_legend(out, trace.before(name))


def show_start(out: Console, trace: Trace) -> None:
    """Print which pass it is."""
    kinds = [f"{name} {trace.about[name]}" for name in KINDS if trace.about.get(name)]
    network = ", ".join([f"Network {trace.about['network']}", *kinds])
    out.print(f"{network}: one pass {_point(trace)}.\n")


def _width(out: Console) -> int:
    """Return the columns for text. Tables take 80 at least, wherever they are printed."""
    return min(out.width, get_terminal_size((out.width, 0)).columns)


def show_step(out: Console, trace: Trace, step: Step) -> None:
    """Print a micro-step: its statements, their results, and the checks."""
    title = f"Step {step.number} of {len(trace.steps)}, {step.phase}: {step.title}"
    out.print(Text(title, style="bold"))
    quantities = [trace.quantities[name] for name in step.names]
    for line in wrap(str(quantities[0].reason), _width(out) - 4):
        out.print(f"  {line}")
    for place in dict.fromkeys((q.file, q.line, q.statement) for q in quantities):
        out.print("  {}, line {}: {}".format(*place), soft_wrap=True)
    out.print()
    for quantity in quantities:
        out.print(_block(quantity, _width(out) - 2, "  "))
    out.print()


def show_legend(out: Console, quantities: Iterable[Quantity]) -> None:
    """Print what the marks behind the numbers mean, and where digits were lost."""
    out.print(
        "✓ by hand and autodiff are both within what rounding allows; behind it, how many ulps by "
        "hand | autodiff are off the exact value.",
        width=_width(out),
    )
    lossy = [q for q in quantities if (q.ulps_autodiff or 0) > MANY_ULPS]
    if lossy:
        names = ", ".join(q.symbol for q in lossy)
        out.print(
            f"{names}: digits are lost where a difference of nearly equal numbers is taken, as in "
            "σ(1 - σ); that is rounding, and allowed for. How many are left stands beside the "
            "ulps.",
            width=_width(out),
        )


def _checks(quantities: list[Quantity], out: Console, width: int) -> Table | Text:
    """List each quantity's exact value, by hand, and by autodiff; in a table where it fits."""
    rows, folded = table("", "", "", "ulps", "verdict"), Text()
    for q in quantities:
        assert q.autodiff is not None
        folded.append(f"{q.symbol}  {q.verdict}\n", style="bold")
        exact = " none: a kink" if q.exact is None else number(float(q.exact))
        by_hand = _off(q.exact, q.by_hand, q.ulps_by_hand)
        autodiff = _off(q.exact, q.autodiff, q.ulps_autodiff)
        for label, value, off in (
            ("exact", exact, ""),
            ("by hand", number(q.by_hand), by_hand),
            ("autodiff", number(q.autodiff), autodiff),
        ):
            first, verdict = label == "exact", q.verdict if label == "by hand" else ""
            rows.add_row(q.symbol if first else "", label, value, off, verdict)
            folded.append(f"  {label:<9}{value}\n")
            if off not in ("", "0"):
                distance, _, left = off.partition(" ")
                folded.append(f"           {distance} ulps {left}".rstrip() + "\n")
    folded.rstrip()
    return rows if out.measure(rows).maximum <= width else folded


def _point(trace: Trace) -> str:
    """Describe the point: whose example, its inputs, and the parameters."""
    given = [q for q in trace.quantities.values() if q.kind == "input" and q.name != "η"]
    inputs = ", ".join(f"{q.symbol} = {plain(q.by_hand)}" for q in given)
    return f"for {trace.about['whose']} ({inputs}), with {trace.about['parameters']}"


def _meaning(quantity: Quantity) -> str:
    """Explain what a partial derivative of the loss means for its parameter."""
    symbol, value, exact = quantity.symbol, quantity.by_hand, quantity.exact
    parameter = symbol.removeprefix("∂L/∂")
    if exact is None:
        return f"There is a kink here, and no one slope; {plain(value, DIGITS)} is a convention."
    if not value and float(exact):
        return f"By hand {symbol} is 0: all its digits are lost. Exactly it is {float(exact):.6g}."
    if not value:
        return (
            f"{symbol} is 0, or too small for a float: a little more or less {parameter} does not "
            "change the loss, to first order."
        )
    sign, loss, descent = ("positive", "rises", "lowers")
    if value < 0:
        sign, loss, descent = ("negative", "falls", "raises")
    return (
        f"{symbol} is {sign}: the loss {loss} with {parameter}, so descent {descent} {parameter}."
    )


def _equation(trace: Trace, quantity: Quantity) -> Text:
    """Write the equation: in symbols, in numbers, and the result."""
    if quantity.formula is None:
        return Text(f"{quantity.symbol} = {plain(quantity.by_hand, DIGITS)}, which is given")
    substituted = quantity.substituted
    if len(quantity.factors) > 1:
        values = [plain(trace.quantities[factor].by_hand, DIGITS) for factor in quantity.factors]
        first, *others = values
        bracketed = (f"({value})" if value.startswith("-") else value for value in others)
        substituted = " · ".join([first, *bracketed])
    lines = (quantity.formula, substituted, plain(quantity.by_hand, DIGITS))
    indent = " " * len(quantity.symbol)
    joined = f"\n{indent} = ".join(str(line) for line in dict.fromkeys(lines))
    return Text(f"{quantity.symbol} = {joined}")


def _tree(trace: Trace, top: Quantity, width: int) -> Tree:
    """Build the tree of dependencies; a quantity needed twice is expanded once."""
    grown: set[str] = set()

    def grow(tree: Tree, quantity: Quantity, width: int) -> None:
        grown.add(quantity.name)
        for name in quantity.depends_on:
            part = trace.quantities[name]
            if part.formula is None:
                continue
            if name in grown:
                tree.add(Text(f"{part.symbol} = {plain(part.by_hand)}, as above"))
            else:
                grow(tree.add(_block(part, width)), part, width - LEVEL)

    tree = Tree(_block(top, width))
    grow(tree, top, width - LEVEL)
    return tree


def _block(quantity: Quantity, width: int, margin: str = "") -> Text:
    """Write formula, numbers, result and check, in three lines or more, within a width."""
    lines = [quantity.formula, quantity.substituted]
    if quantity.substituted == plain(quantity.by_hand):
        lines.pop()
    indent = margin + " " * len(quantity.symbol)
    room = max(FEWEST, width - len(quantity.symbol) - 3)

    def said(line: Any) -> str:
        return f"\n{indent}   ".join(_wrapped(str(line), room))

    block = Text(f"{margin}{quantity.symbol} = ")
    block.append(f"\n{indent} = ".join(map(said, lines)))
    result = said(f"{plain(quantity.by_hand, DIGITS)}  {_mark(quantity)}")
    style = "bold red" if quantity.verdict != "agree" else ""
    return block.append(f"\n{indent} = {result}", style)


def _wrapped(line: str, room: int) -> list[str]:
    """Break a formula between its terms; within a term only where it is too long by itself."""
    held = line.replace(" · ", "\N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}")
    if max(map(len, held.split(" "))) > room - 2:
        held = line
    found = wrap(held, room, subsequent_indent="  ", break_on_hyphens=False)
    return [of.replace("\N{NO-BREAK SPACE}", " ") for of in found]


def _mark(quantity: Quantity) -> str:
    if quantity.exact is None:
        return f"{quantity.verdict}; no exact value: a kink"
    sign = "✓" if quantity.verdict == "agree" else "✗ disagree"
    by_hand = _off(quantity.exact, quantity.by_hand, quantity.ulps_by_hand)
    return f"{sign} {by_hand} | {_off(quantity.exact, quantity.autodiff, quantity.ulps_autodiff)}"


def _off(exact: str | None, value: float | None, distance: float | None) -> str:
    """Format the distance from the exact value: ulps, and for many the digits left."""
    if exact is None or value is None or distance is None:
        return ""
    if distance <= MANY_ULPS or (left := right_digits(Decimal(exact), value)) is None:
        return ulps(distance)
    return f"{ulps(distance)} ({max(0, left)} digits left)"
