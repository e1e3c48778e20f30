"""Whether torch is installed, which the extra `torch` brings, and what tests do where it is not."""

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

MISSING = "torch is not installed: make test-torch installs it, and runs all that needs it"


def is_installed() -> bool:
    """Look for torch, without importing it."""
    return find_spec("torch") is not None


def required() -> None:
    """Skip a test, or a module that is being imported, where there is no torch.

    With HANDGRAD_TORCH=required in the environment, as in CI, it fails.
    """
    if is_installed():
        return
    if os.environ.get("HANDGRAD_TORCH") == "required":
        pytest.fail(MISSING, pytrace=False)
    pytest.skip(MISSING, allow_module_level=True)


def __getattr__(name: str) -> Any:
    """Give `torch`, which is imported where a test asks for it."""
    if name != "torch":
        raise AttributeError(name)
    required()
    return import_module("torch")
