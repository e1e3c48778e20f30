"""Every run is run once, and its numbers are looked at by several tests."""

from functools import cache
from typing import Any

from compare.errata.catalogue import ERRATA
from compare.errata.entry import Shown


@cache
def shown(number: int) -> Shown:
    return ERRATA[number - 1].run()


def numbers(number: int) -> dict[str, Any]:
    return shown(number).numbers
