"""`torch`, where it is installed; typed as `Any`, as it need not be."""

from importlib import import_module
from typing import Any

torch: Any = import_module("torch")
