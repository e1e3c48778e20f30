"""What is tested where torch is missing; the rest of this folder is left out there."""

from pathlib import Path

import pytest

from tests import torch_installed
from tests.handgrad.torch import conftest

FILES = sorted(Path(__file__).parent.glob("*.py"))


def test_torch_is_installed_or_all_else_in_this_folder_is_left_out() -> None:
    torch_installed.required()


@pytest.mark.parametrize(("found", "kept"), [(None, 1), ("found", len(FILES))])
def test_without_torch_one_file_is_collected(
    monkeypatch: pytest.MonkeyPatch, found: str | None, kept: int
) -> None:
    monkeypatch.setattr(torch_installed, "find_spec", lambda _: found)
    assert sum(not conftest.pytest_ignore_collect(file) for file in FILES) == kept


def test_without_torch_it_is_skipped_and_fails_where_it_is_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch_installed, "find_spec", lambda _: None)
    monkeypatch.delenv("HANDGRAD_TORCH", raising=False)
    with pytest.raises(pytest.skip.Exception, match="make test-torch"):
        torch_installed.required()
    monkeypatch.setenv("HANDGRAD_TORCH", "required")
    with pytest.raises(pytest.fail.Exception, match="make test-torch"):
        torch_installed.required()
