"""Texts that are made from stored rows."""

from pathlib import Path
from typing import Any

from evaluation.rows import Row, add, read
from evaluation.templates import templates

__all__ = ["Row", "add", "filled", "read"]


def filled(template: Path, **values: Any) -> str:
    """Fill a template; a name that it has and nobody gave is an error."""
    here = Path(__file__).parent
    name = template.relative_to(here).as_posix()
    return templates(here).get_template(name).render(**values)
