"""handgrad: is this hand-written gradient right?

A library for gradients of your own; it knows nothing of the article's network. So far it holds the
measure in which gradients are compared, `ulp_distance`.
"""

from handgrad.ulps import ulp_distance

__all__ = ["ulp_distance"]
