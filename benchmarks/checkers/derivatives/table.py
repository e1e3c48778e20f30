"""Write the results about derivatives as tables; the same file gives the same text."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.checkers import counts, known
from benchmarks.checkers.cases import MISTAKES, RIGHT
from benchmarks.checkers.derivatives.cases import AS_WRITTEN
from benchmarks.checkers.derivatives.limits import LIMIT
from benchmarks.checkers.derivatives.peers import NOISE, NUMDIFF_ROOM
from benchmarks.checkers.results import Check, Results
from benchmarks.checkers.table import Row, available
from benchmarks.templates import templates
from models.derivatives.derivatives import DERIVATIVES, KINDS
from models.model import COMPLEX, HESSIAN, JACOBIAN, PRODUCT, RULE

#: What the rows about each kind are headed by.
WORDS = {
    JACOBIAN: "Jacobians",
    HESSIAN: "Hessians",
    PRODUCT: "products with Hessians",
    COMPLEX: "complex gradients",
    RULE: "rules of JAX",
}

#: The kind of each derivative, by name.
OF_KIND = {derivative.name: derivative.kind for derivative in DERIVATIVES}

#: Sizes of mistakes that are counted together, each from the first number on.
SIZES = (1e-2, 1e-4, 1e-7, 1e-10, 0.0)

#: How each checker is called.
HOW = {
    "handgrad": "`check_jacobian`, `check_hessian`, `check_hvp`, `check_gradient`, and "
    "`check_custom` with `order=2`, at the given point and eight others",
    "jax.test_util": "`check_grads` about rules, with `order=2` and the modes that the rule "
    "defines; `check_jvp` and `check_vjp` about the others, of complex gradients the latter",
    "scipy.optimize.check_grad": "`check_grad` about a function of several results and its "
    "Jacobian; of a Hessian, the function is the gradient",
    "numdifftools": "`Jacobian` and `Hessian` of the function, with their estimates of the error",
}


class Counted(known.Counted):
    """Counts by kind of derivative."""

    IN_BRIEF = 3

    PLACE = "a wrong element"

    def limit(self, check: Check) -> float:  # noqa: ARG002 (one for all)
        """Return how large a mistake is, in rounding, that must be caught."""
        return LIMIT

    def group(self, check: Check) -> str:
        """Return the kind in words."""
        return WORDS[OF_KIND[check.subject]]

    def rows(self, group: str) -> list[Row]:
        """Return the rows about one kind that count something."""
        return [row for row in super().rows(group) if row[2]]


def markdown(results: Results) -> str:
    """Write all tables, with the conditions above them and the notes below."""
    names, counted = available(results), Counted(results)
    asked = {check.case: check for check in results.checks}
    return (
        templates(Path(__file__).parents[1])
        .get_template("derivatives/table.md.j2")
        .render(
            results=results,
            found=results.fingerprint,
            available=names,
            functions=len({check.subject for check in results.checks}),
            planted=sum(check.part == MISTAKES for check in asked.values()),
            right=sum(check.part == RIGHT for check in asked.values()),
            limit=f"{LIMIT:g}",
            by_kind=[row for group in _groups(results) for row in counted.rows(group)],
            by_size=_by_size(counted),
            right_ones=_right_ones(results),
            how=[HOW[name] for name in names if name in HOW],
            missed=known.largest_missed(results),
            room=f"{NUMDIFF_ROOM:g}",
            noise=f"{NOISE:g}",
        )
    )


def in_brief(results: Results) -> str:
    """Write the table of docs/scipy.md: by kind, what is caught and what called wrong."""
    return Counted(results).in_brief(_groups(results))


def _groups(results: Results) -> list[str]:
    there = {OF_KIND[check.subject] for check in results.checks}
    return [WORDS[kind] for kind in KINDS if kind in there]


def _by_size(counted: Counted) -> list[Row]:
    """Return a row for the mistakes of each range of sizes, relative to the largest element."""
    planted = [check for check in counted.results.checks if check.part == MISTAKES]
    rows: list[Row] = []
    below = float("inf")
    for least in SIZES:
        found = [check for check in planted if least <= _size(counted, check) < below]
        first = "another shape, or " if below == float("inf") else f"below {below:g}, "
        words = f"{first}from {least:g} on" if least else f"below {below:g}"
        rows.append(("mistakes", words, found, counts.tally_caught))
        below = least
    return [row for row in rows if row[2]]


def _size(counted: Counted, check: Check) -> float:
    size = counted.about(check)["size"]
    return SIZES[0] if size is None else size


def _right_ones(results: Results) -> list[Row]:
    right = [check for check in results.checks if check.part == RIGHT]
    hard = [check for check in right if not check.case.endswith("/0")]
    ordinary = [check for check in right if check.case.endswith("/0")]
    return [
        ("as it is written", "", _written(ordinary, True), counts.tally_false_alarms),
        ("rewritten", "", _written(ordinary, False), counts.tally_false_alarms),
        ("at points that are hard", "", hard, counts.tally_false_alarms),
    ]


def _written(checks: Sequence[Check], as_written: bool) -> list[Check]:
    return [check for check in checks if (check.what == AS_WRITTEN) == as_written]
