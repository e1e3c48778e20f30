"""The power of a check, or of a test: which planted mistakes it catches, and which it misses."""

from handgrad.power.exact import power
from handgrad.power.own_tests import of_test
from handgrad.power.results import Planted, Power, together

__all__ = ["Planted", "Power", "of_test", "power", "together"]
