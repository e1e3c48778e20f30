"""From which size on a mistake must be caught, by what the judge allows in each format.

A mistake's size is given in *rounding* (`benchmarks.checkers.planted`), the largest error that the
format itself makes in an element of a derivative, or, of torch functions, in an argument's
gradient. Let k be the element in which the mistake is largest. It is wrong beyond what the judge
allows there, and that is no more than what it allows in some element of the argument. In rounding:

- **Numbers that stand for others** (float64, float32): `SHARP` units are allowed. A unit is the
  largest move of an element for random data half an ulp away, and half an ulp of the element. The
  worst such data, and the half ulp, are part of rounding: at most 1. Constants of the code, such as
  cosines, are data to the judge, and not part of rounding: each multiplies a datum, and so moves an
  element about as far as that, at most once more in all.
- **Short formats** (bfloat16), whose numbers are themselves: allowed are half an ulp, at most 1,
  and `STATED` root mean squares of the moves by Monte Carlo runs. Such a run moves every result by
  the whole unit roundoff u, up or down; a real rounding error lies anywhere within ± u, so that its
  root mean square is u/√3. Rounding is the largest error of several right ways to write a function,
  one of which rounds all that it computes, in any element: no less than the root mean square in one
  of them. So the moves are at most √3.

The wrong code rounds as a right one does, which may hide as much of the mistake: one more.
What else ordinary rounding may explain (the loose yardstick) excuses no mistake that stays when the
same lines are run at another precision, or a backward pass that can be traced, as all of these, in
exact arithmetic; where lines cannot be, one near the limit may be undecidable, which is not caught.

That a constant moves little, and that several right ways show how far rounding leads, are the steps
that are no arithmetic. Tests hold what the judge allows to these limits, and have mistakes of just
this size caught.
"""

import math

from handgrad.data import formats
from handgrad.tolerance.runs import SHARP
from handgrad.tolerance.stated import STATED

#: A unit of the judge in rounding: data and result, and constants.
UNIT = 2.0

#: Half an ulp of the result, in rounding.
HALF_ULP = 1.0

#: A Monte Carlo run's move beside a rounding error, in the root mean square.
MOVE = math.sqrt(3.0)

#: How much of a mistake the rounding of the wrong code may hide.
HIDDEN = 1.0


def allowed(dtype: str) -> float:
    """Return what the judge allows at most, in rounding, in a format; by default in float64."""
    half = formats.named(dtype or "float64").half
    return HALF_ULP + STATED * MOVE if half else SHARP * UNIT


def limit(dtype: str) -> float:
    """Return how large, in rounding in a format, a mistake is that must be caught."""
    return allowed(dtype) + HIDDEN
