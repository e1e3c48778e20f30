"""How large things may be: what the command line takes, and what a file may therefore say."""

from collections.abc import Sequence
from itertools import pairwise

#: Enough for any lesson; some minutes, and less than 100 MB for their order and losses.
MOST_EPOCHS = 1_000_000

#: As many take some gigabytes to train by both.
MOST_PARAMETERS = 30_000_000

#: Values get standardised, and their squares must not leave the range of float64.
LARGEST_VALUE, SMALLEST_VALUE = 1e100, 1e-100

#: Learning rates that float32 can hold, and whose products with its numbers it can.
SMALLEST_SINGLE_RATE, LARGEST_SINGLE_RATE = 1e-30, 1e30

LARGEST_BATCH = 10**9
LARGEST_L2 = 1000
LARGEST_SEED = 2**32 - 1
LARGEST_TEST_FRACTION = 0.5


def shape(sizes: Sequence[int]) -> str:
    """Numbers of units, layer by layer, as the command line takes them: 2-8-1."""
    return "-".join(map(str, sizes))


def count_parameters(sizes: Sequence[int]) -> int:
    """How many weights and biases a network of these sizes has."""
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
