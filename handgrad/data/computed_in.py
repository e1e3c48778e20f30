"""What a kernel computes in behind its arrays: the option `computed_in` of the checks."""

from typing import Any, NamedTuple

from handgrad.data.formats import HALF, INSIDE, Format, named

#: The formats that may be stated.
STATED = ("float64", "float32", *INSIDE, *HALF)


class Arithmetic(NamedTuple):
    """The formats that numbers are rounded to; None where a program shows them."""

    values: Format | None = None  #: of the values between operations
    sums: Format | None = None  #: of the partial sums
    factors: Format | None = None  #: of the operands of matrix products
    #: Whether products of short formats are summed in their own, and not in float32 as processors
    #: and XLA do.
    short_sums: bool = False

    @property
    def units(self) -> tuple[float, float]:
        """The unit roundoffs of values or factors, and of sums; 0 where a program shows them."""
        first = self.factors or self.values
        return (first.unit if first else 0.0), (self.sums.unit if self.sums else 0.0)


#: As a program shows it.
AS_SHOWN = Arithmetic()


def arithmetic(computed_in: Any) -> Arithmetic | None:
    """Return what `computed_in` states: a format, or that of values and that of sums.

    Tensor cores multiply the leading bits of float32, as "tf32" states; all else is float32 then.

    Raises:
        ValueError: it states no format.
    """
    if computed_in is None:
        return None
    both = (computed_in, computed_in) if isinstance(computed_in, str) else computed_in
    if not isinstance(both, tuple | list) or len(both) != 2 or not all(_known(f) for f in both):
        raise ValueError(
            f"computed_in: got {computed_in!r}, expected a format or (that of values, that of "
            f"sums), of {', '.join(STATED)}"
        )
    values, sums = (named("float32" if f in INSIDE else f) for f in both)
    factors = named(both[0]) if both[0] in INSIDE else None
    return Arithmetic(values, sums, factors)


def described(found: Arithmetic | None) -> str:
    """Name an arithmetic: `bfloat16 with sums in float32`; empty if none was stated."""
    if found is None or found.values is None or found.sums is None:
        return ""
    values, sums = found.factors or found.values, found.sums
    same = found.factors is not None or sums == values
    return values.name if same else f"{values.name} with sums in {sums.name}"


def _known(name: Any) -> bool:
    return isinstance(name, str) and name in STATED
