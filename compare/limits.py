"""Limits on sizes and values, for the command line and for files."""

from collections.abc import Sequence
from itertools import pairwise

#: Enough for any lesson; some minutes, and less than 100 MB for their order and losses.
MOST_EPOCHS = 1_000_000

#: Training so many by both sides takes some gigabytes.
MOST_PARAMETERS = 30_000_000

#: Values are standardised, so their squares must stay within the range of float64.
LARGEST_VALUE, SMALLEST_VALUE = 1e100, 1e-100

#: Learning rates for float32: they and their products with float32 numbers stay in range.
SMALLEST_SINGLE_RATE, LARGEST_SINGLE_RATE = 1e-30, 1e30

LARGEST_BATCH = 10**9
LARGEST_L2 = 1000
LARGEST_SEED = 2**32 - 1
LARGEST_TEST_FRACTION = 0.5


def shape(sizes: Sequence[int]) -> str:
    """Format numbers of units, layer by layer, as the command line takes them: 2-8-1."""
    return "-".join(map(str, sizes))


def count_parameters(sizes: Sequence[int]) -> int:
    """Count the weights and biases of a network of these sizes."""
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
