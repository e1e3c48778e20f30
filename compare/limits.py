"""Limits on sizes and values, for the command line and for files."""

from collections.abc import Sequence
from itertools import pairwise

#: Training so many by both sides takes some gigabytes.
MOST_PARAMETERS = 30_000_000

#: Values are standardised, so their squares must stay within the range of float64.
LARGEST_VALUE, SMALLEST_VALUE = 1e100, 1e-100


def shape(sizes: Sequence[int]) -> str:
    """Format numbers of units, layer by layer, as the command line takes them: 2-8-1."""
    return "-".join(map(str, sizes))


def count_parameters(sizes: Sequence[int]) -> int:
    """Count the weights and biases of a network of these sizes."""
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
