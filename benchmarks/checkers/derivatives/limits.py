"""From which size on a mistake must be caught, by what the judge allows.

A mistake's size is given in *rounding* of the element where that is largest
(`benchmarks.checkers.derivatives.planted`). `SHARP` units are allowed in each element. A unit is
the largest move of the element for random data half an ulp away, and half an ulp of the element: at
most one rounding, which has the worst such data and the half ulp. Constants of the code are data to
the judge, and not part of rounding: each multiplies a datum, and so moves an element about as far
as that, at most once more in all. What else ordinary rounding may explain (the loose yardstick)
excuses no mistake that stays when the same lines are run at another precision; where they cannot
be, one near the limit may be undecidable, which is not caught.

The wrong code rounds as a right one does, which may hide as much of the mistake: one more. So these
are the limits of torch functions in float64, `benchmarks.checkers.functions.limits`, there for an
argument's largest errors and here for each element by itself.
"""

from benchmarks.checkers.functions.limits import allowed, limit

#: What the judge allows at most, in rounding, and how large a mistake is that must be caught.
ALLOWED, LIMIT = allowed("float64"), limit("float64")
