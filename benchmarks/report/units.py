"""Format numbers with units."""

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def seconds(value: float) -> str:
    """Format a time with three digits in a suitable unit: `1.35 ms`."""
    size, unit = _unit(value)
    return f"{digits(value / size)} {unit}"


def interval(low: float, high: float) -> str:
    """Format two times in the unit of the larger one: `1.31 to 1.42 ms`."""
    size, unit = _unit(high)
    return f"{digits(low / size)} to {digits(high / size)} {unit}"


def _unit(value: float) -> tuple[float, str]:
    return next((unit for unit in UNITS if value >= 0.9995 * unit[0]), UNITS[-1])


def digits(value: float) -> str:
    """Format a number with three digits; more only before the decimal point."""
    if value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def many(value: float) -> str:
    """Format a size or a count: `1,024`, `18,400`; three digits from a thousand on."""
    if value < 1000:
        return digits(value) if value != int(value) else str(int(value))
    return f"{float(f'{value:.3g}'):,.0f}"


def percent(value: float) -> str:
    """Format a share with one decimal: `0.7 %`, `< 0.1 %`."""
    return f"{100 * value:.1f} %" if value == 0 or value >= 0.001 else "< 0.1 %"


def size_in_bytes(value: float) -> str:
    """Format bytes in a suitable unit: `4.2 MB`."""
    for scale, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= scale:
            return f"{digits(value / scale)} {unit}"
    return f"{value:.0f} B"
