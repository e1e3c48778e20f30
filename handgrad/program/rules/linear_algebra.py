"""Rules for factorisations and linear systems, as loops over rows and columns."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from handgrad.arithmetic import balls, dual
from handgrad.arithmetic.dual import Dual
from handgrad.arithmetic.jets import Jet
from handgrad.program import cost
from handgrad.program.equations import equations
from handgrad.program.interpreter import Run, UncertifiedPrimitiveError
from handgrad.program.rule import Rounds, Rule


def cholesky(run: Run, eqn: Any, a: Dual) -> Dual:
    """Return the lower triangular l with l @ lᵀ = a (Golub and Van Loan, section 4.2)."""
    n = a.shape[-1]
    columns: list[Dual] = []
    for j in range(n):
        column = a[..., j:, j]
        for k, earlier in enumerate(columns):
            below = earlier[..., j - k :]
            column = column - below * below[..., :1]
        root = run.rules["sqrt"](run, eqn, column[..., :1])
        columns.append(run.rules["div"](run, eqn, column, root))
    zeros = [Dual(balls.zeros((*a.shape[:-2], j))) for j in range(n)]
    full = [dual.concatenate([z, c], -1) for z, c in zip(zeros, columns, strict=True)]
    return dual.stacked(full, -1)


def triangular_solve(run: Run, eqn: Any, a: Dual, b: Dual) -> Dual:
    """Solve a @ x = b, or x @ a = b, for a triangular a, row by row."""
    p = eqn.params
    flipped = bool(p["transpose_a"]) != (not p["left_side"])
    a = dual.transposed(a) if flipped else a
    b = b if p["left_side"] else dual.transposed(b)
    forward = bool(p["lower"]) != flipped
    n = a.shape[-1]
    rows: dict[int, Dual] = {}
    for i in range(n) if forward else reversed(range(n)):
        row = b[..., i, :]
        for j, known in rows.items():
            row = row - a[..., i, j, None] * known
        rows[i] = row if p["unit_diagonal"] else run.rules["div"](run, eqn, row, a[..., i, i, None])
    x = dual.stacked([rows[i] for i in range(n)], b.value.ndim - 2)
    return x if p["left_side"] else dual.transposed(x)


def lu(run: Run, eqn: Any, a: Dual) -> list[Any]:
    """Return the factors l and u in one matrix, the row exchanges, and their permutation."""
    batch = a.shape[:-2]
    matrices = [_lu(run, eqn, a[index]) for index in np.ndindex(*batch)]
    factors = dual.stacked([factored for factored, _, _ in matrices])
    exchanges = np.stack([exchanged for _, exchanged, _ in matrices]).astype(np.int32)
    orders = np.stack([order for _, _, order in matrices]).astype(np.int32)
    return [
        factors.reshape(*a.shape),
        exchanges.reshape(*batch, -1),
        orders.reshape(*batch, -1),
    ]


def _lu(run: Run, eqn: Any, a: Dual) -> tuple[Dual, np.ndarray, np.ndarray]:
    """Factor one matrix; the largest element of a column is its pivot, though any would do."""
    m, n = a.shape
    rows, order = [a[i] for i in range(m)], np.arange(m)
    exchanges = np.arange(min(m, n))
    for j in range(min(m, n)):
        sizes = [abs(balls.midpoints(row[j].value)) for row in rows[j:]]
        pivot = exchanges[j] = j + int(np.argmax(sizes))
        rows[j], rows[pivot] = rows[pivot], rows[j]
        order[[j, pivot]] = order[[pivot, j]]
        for i in range(j + 1, m):
            factor = run.rules["div"](run, eqn, rows[i][j, None], rows[j][j, None])
            reduced = rows[i][j + 1 :] - factor * rows[j][j + 1 :]
            rows[i] = dual.concatenate([rows[i][:j], factor, reduced], 0)
    return dual.stacked(rows), exchanges, order


def tridiagonal_solve(run: Run, eqn: Any, low: Dual, mid: Dual, high: Dual, b: Dual) -> Dual:
    """Solve a @ x = b by elimination without exchanges (Golub and Van Loan, section 4.3.6)."""
    div, n = run.rules["div"], mid.shape[-1]
    pivots, rows = [mid[..., 0]], [b[..., 0, :]]
    for i in range(1, n):
        factor = div(run, eqn, low[..., i], pivots[-1])
        pivots.append(mid[..., i] - factor * high[..., i - 1])
        rows.append(b[..., i, :] - factor[..., None] * rows[-1])
    for i in reversed(range(n)):
        known = rows[i] if i == n - 1 else rows[i] - high[..., i, None] * rows[i + 1]
        rows[i] = div(run, eqn, known, pivots[i][..., None])
    return dual.stacked(rows, b.value.ndim - 2)


#: The number δ with a slope of its own.
DELTA = Dual(balls.boxed([Jet(balls.ZERO, balls.ONE)], ()))


def linear_solve(run: Run, eqn: Any, *operands: Any) -> list[Any]:
    """custom_linear_solve: A(x) = b, and so A(x′) = b′ - A′(x).

    The equation has one program that solves with constant factors, and one that applies A.
    """
    lengths, programs = eqn.params["const_lengths"], eqn.params["jaxprs"]
    ends = np.cumsum([0, *lengths])
    matvec, _, solve, _ = (operands[a:b] for a, b in pairwise(ends))
    knowns = operands[ends[-1] :]
    if run.once(("iterates", id(eqn)), lambda: _iterates(programs.solve)):
        # What it computes has other slopes: it ends at once where the right side is an eigenvector.
        iterative = f"`{eqn.primitive.name}` by an iteration, which stops at a tolerance"
        raise UncertifiedPrimitiveError(eqn.primitive.name, iterative)
    factors = [dual.stopped(o) for o in solve]

    def solved(knowns: Sequence[Dual]) -> list[Dual]:
        """Return the solution for a constant A; the slopes that numbers have are solved for, too.

        (A + A′·δ)(x + x′·δ) = b + b′·δ, and so A(x′) = b′ - A′(x), as for the tangents.
        """
        x = run.closed(programs.solve, [*factors, *map(dual.firsts, knowns)])
        if not dual.have_slopes([*matvec, *knowns]):
            return x
        images = run.closed(programs.matvec, [*map(dual.primal, matvec), *x])
        left = [dual.seconds(b - image) for b, image in zip(knowns, images, strict=True)]
        slopes = run.closed(programs.solve, [*factors, *left])
        return [a + DELTA * b for a, b in zip(x, slopes, strict=True)]

    x = solved(list(map(dual.primal, knowns)))
    images = run.closed(programs.matvec, [*matvec, *x])
    if not all(dual.may_be_equal(b, image) for b, image in zip(knowns, images, strict=True)):
        if _moves(matvec) and not _moves(solve):
            # JAX stops the slopes of factors, as those of one triangle of what is not symmetric.
            unsolved = f"`{eqn.primitive.name}` that leaves its system unsolved"
            raise UncertifiedPrimitiveError(eqn.primitive.name, unsolved)
        # It does not solve the system (an iteration that ends early): differentiate what it does.
        return run.closed(programs.solve, [*solve, *knowns])
    moved = [Dual(b.value, (b - image).tangent) for b, image in zip(knowns, images, strict=True)]
    return solved(moved)


def _moves(operands: Sequence[Any]) -> bool:
    tangents = dual.directions(*(o for o in operands if isinstance(o, Dual)))
    return tangents is not None or dual.have_slopes(operands)


def _iterates(program: Any) -> bool:
    return any(eqn.primitive.name == "while" for eqn in equations(program.jaxpr))


RULES: dict[str, Rule] = {
    "cholesky": Rule(cholesky, Rounds.ARGUMENTS, cost=cost.factorisation),
    "triangular_solve": Rule(triangular_solve, Rounds.ARGUMENTS, cost=cost.factorisation),
    "lu": Rule(lu, Rounds.ARGUMENTS, cost=cost.factorisation),
    "tridiagonal_solve": Rule(tridiagonal_solve, Rounds.ARGUMENTS, cost=cost.factorisation),
    "custom_linear_solve": Rule(linear_solve, structured=True),
}
