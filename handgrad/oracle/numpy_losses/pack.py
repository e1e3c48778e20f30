"""Convert between object arrays of power series and `Dual`, arrays of values and tangents."""

from typing import Any

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.dual import Dual
from handgrad.oracle.numpy_losses.series import (
    REAL,
    NotOnSeriesError,
    Number,
    Series,
    Session,
    exact,
)


def series(session: Session, array: np.ndarray) -> Series:
    """View an object array as an array of series."""
    view = array.view(Series)
    view.session = session
    return view


def is_series(value: Any) -> bool:
    """Tell whether a value holds series: a number, or an array of objects."""
    return isinstance(value, Number) or (isinstance(value, np.ndarray) and value.dtype == object)


def packed(session: Session, value: Any) -> Dual:
    """Convert numbers, or floats, to a `Dual`.

    Raises:
        NotOnSeriesError: an element is neither.
    """
    if isinstance(value, Number):
        return value.dual
    array = np.asarray(value)
    if array.dtype != object:
        if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
            raise NotOnSeriesError(f"{array.dtype.name} beside numbers that depend on parameters")
        return session.constant(array)
    elements = array.reshape(-1).tolist()
    tangents = [e.tangent if isinstance(e, Number) else None for e in elements]
    values = balls.boxed([_value(e) for e in elements], array.shape)
    k = next((t.size for t in tangents if t is not None), None)
    if k is None:
        return Dual(values)
    rows = balls.zeros((len(tangents), k))
    for row, tangent in zip(rows, tangents, strict=True):
        if tangent is not None:
            row[:] = tangent
    return Dual(values, rows.T.reshape(k, *array.shape))


def _value(element: Any) -> arb:
    if isinstance(element, Number):
        return element.value
    if isinstance(element, REAL):
        return exact(element)
    raise NotOnSeriesError(f"{type(element).__name__} among numbers that depend on parameters")


def unpacked(session: Session, dual: Dual) -> Any:
    """Convert a `Dual` to a `Number` if it has no axes, else to a `Series`."""
    if not dual.shape:
        return Number(session, dual.value.item(), dual.tangent)
    values = dual.value.reshape(-1).tolist()
    if dual.tangent is None:
        numbers = [Number(session, value, None) for value in values]
    else:
        rows = dual.tangent.reshape(dual.tangent.shape[0], -1).T
        numbers = [Number(session, v, row) for v, row in zip(values, rows, strict=True)]
    # np.array of a list would inspect every number.
    return series(session, np.fromiter(numbers, object, len(numbers)).reshape(dual.shape))
