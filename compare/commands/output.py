"""Output helpers shared by the commands."""

import math
from typing import Any

import click

from handgrad.commands.process import json_text


def print_object(value: Any) -> None:
    """Print one JSON object; floats round-trip, NaN and infinities become null."""
    click.echo(json_text(_finite(value)))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
