"""Numbers as the page writes them, and places in its pictures, by the ticks of their axes."""

import math
import re
from decimal import Decimal
from typing import Any

import numpy as np
from playwright.sync_api import Locator

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def number(text: str) -> Decimal:
    """A number as the page writes it, −1.5·10⁻¹³."""
    mantissa, _, power = text.partition("·10")
    return Decimal(mantissa.replace("−", "-").lstrip("+")).scaleb(
        int(power.translate(_RAISED) or 0)
    )
