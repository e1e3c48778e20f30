"""Numbers as the page writes them, read again."""

from decimal import Decimal

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def number(text: str) -> Decimal:
    """What a reader reads: −1.5·10⁻¹³."""
    mantissa, _, power = text.partition("·10")
    return Decimal(mantissa.replace("−", "-")).scaleb(int(power.translate(_RAISED) or 0))
