"""Jacobians of complex numbers, as those of their real and imaginary parts.

By z = x + iy a function f = u + iv has four real derivatives. A row of a real f is a gradient,
written as those of the convention: in JAX's as ∂f/∂x - i·∂f/∂y, in PyTorch's as ∂f/∂x + i·∂f/∂y. Of
a complex f there are two such rows, those of u and of v. If f is holomorphic, one says both: in
JAX's convention f′ itself, in PyTorch's its conjugate, which is what the libraries return where the
cotangent is 1. By a real x a row is ∂u/∂x + i·∂v/∂x in both.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from handgrad.data.complex_pairs import Pair, is_complex
from handgrad.data.findings import Finding
from handgrad.judging.form import FaultyFormError
from handgrad.judging.matrix_parts import Whole
from handgrad.judging.vectors import answers
from handgrad.judging.vectors.functions import Form

Shape = tuple[int, ...]

#: The path of the first of two parts.
REAL = f".{Pair._fields[0]}"


def is_of_complex(rows: Form, columns: Form) -> bool:
    """Tell whether the result of a function, or its argument, has complex arrays."""
    return any(len(whole) > 1 for whole in (*rows.wholes, *columns.wholes))


def paths(name: str, argument: str, rows: Form, columns: Form) -> tuple[str, ...]:
    """Return what the real blocks are called: `jac.real by z.imag`."""
    by = [
        f" by {argument}{path}" if len(whole) > 1 else path
        for whole in columns.wholes
        for path in (columns.paths[k] for k in whole)
    ]
    return tuple(name + row + column for row in rows.paths for column in by)


def wholes(rows: Form, columns: Form) -> Iterator[Whole]:
    """Yield which real blocks are one to the caller, row by row."""
    for row in rows.wholes:
        for column in columns.wholes:
            places = tuple(i * len(columns.shapes) + j for i in row for j in column)
            yield Whole(places, len(row), len(column))


def of_answer(
    name: str, rows: Form, columns: Form, answer: Any, sign: int, holomorphic: set[int]
) -> list[Any] | None:
    """Return the real blocks, (m_i, n_j), of the caller's; None if some lack.

    Args:
        name: what the caller's function is called.
        rows, columns: the forms of result and argument, complex arrays in parts.
        answer: what the caller returned.
        sign: of i·∂f/∂y in a gradient of the convention.
        holomorphic: gets the places of the first of four blocks that are of one matrix.

    Raises:
        FaultyFormError: a block is no matrix, or has another shape, or is complex and all is real.
    """
    try:
        lines = rows.outside.flatten_up_to(answer)
        whole = [columns.outside.flatten_up_to(line) for line in lines]
    except ValueError:
        return None
    found: list[Any] = [None] * (len(rows.shapes) * len(columns.shapes))
    faults: list[Finding] = []
    blocks = [block for line in whole for block in line]
    for of, block in zip(wholes(rows, columns), blocks, strict=True):
        row, column = divmod(of.places[0], len(columns.shapes))
        shapes = rows.shapes[row], columns.shapes[column]
        matrices = _matrices(of, block, shapes)
        path = name + rows.paths[row].removesuffix(REAL if of.results == 2 else "")
        some_complex = len(of.places) > 1
        if wrong := [f for m in matrices if (f := _fault(path, m, *shapes, some_complex))]:
            faults += wrong
            continue
        if len(of.places) == 4 and len(matrices) == 1:
            holomorphic.add(of.places[0])
        for place, part in zip(of.places, _parts(matrices, of, sign), strict=True):
            found[place] = part
    if faults:
        raise FaultyFormError(faults)
    return found


def _matrices(of: Whole, block: Any, shapes: tuple[Shape, Shape]) -> list[Any]:
    """Return the matrices of a block: two of a complex function of complex numbers, or one.

    A tuple of two may also be the two rows of one.
    """
    one = _matrix(block, *shapes)
    two = len(of.places) == 4 and isinstance(block, tuple) and len(block) == 2
    if not two or not _fault("", one, *shapes):
        return [one]
    return [_matrix(each, *shapes) for each in block]


def _matrix(value: Any, rows: Shape, columns: Shape) -> Any:
    try:
        return answers.shaped(answers.dense(value), rows, columns, np.float64)
    except ValueError:
        if not isinstance(value, list | tuple):
            raise
        return value  # rows of several lengths


def _fault(
    path: str, matrix: Any, rows: Shape, columns: Shape, may_be_complex: bool = True
) -> Finding | None:
    """Return what is wrong with the form of a matrix, if anything is."""
    if not hasattr(matrix, "dtype"):
        what = f"got {type(matrix).__name__}, expected an array"
        return Finding.of_form("structure", path, what)
    expected = tuple(int(np.prod(shape, dtype=int)) for shape in (rows, columns))
    if matrix.shape != expected:
        return Finding.of_form("shape", path, f"got shape {matrix.shape}, expected {expected}")
    if is_complex(matrix) and not may_be_complex:
        what = f"got {matrix.dtype}, expected real numbers, those of real ones by real ones"
        return Finding.of_form("dtype", path, what)
    return None


def _parts(matrices: list[Any], of: Whole, sign: int) -> list[Any]:
    """Return the real blocks of one whole one, row by row."""
    first, last = matrices[0], matrices[-1]
    if len(of.places) == 1:
        return [first]
    if of.arguments == 1:
        return [first.real, first.imag]
    # ∂f/∂y is sign times the imaginary part of a gradient.
    rows = [first.real, sign * first.imag]
    if of.results == 1:
        return rows
    if len(matrices) == 2:
        return [*rows, last.real, sign * last.imag]
    # Of a holomorphic f: ∂v/∂x = -∂u/∂y and ∂v/∂y = ∂u/∂x, by Cauchy and Riemann.
    return [*rows, -sign * first.imag, first.real]
