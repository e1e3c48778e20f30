import importlib
import sys
from pathlib import Path
from unittest.mock import Mock, patch

import jax
import pytest

from compare.wording import quoted, shown, unavailable


def test_what_others_wrote_stays_on_one_line() -> None:
    assert shown("height (cm)") == "height (cm)"
    assert shown("a\nb\x1b[2J") == r"'a\nb\x1b[2J'"
    assert shown("") == "''"
    assert (shown("x" * 60), shown("x" * 61)) == ("x" * 60, "x" * 59 + "…")
    assert quoted("  it's\t7 ") == r'''"it's\t7"'''
    assert quoted("x" * 61) == f"'{'x' * 59}…'"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import no_such_package", "the package 'no_such_package' is not installed; expected the"),
        (
            "raise ImportError('lib: no')",
            "the package 'devices_of' cannot be imported: lib: no; ",
        ),
    ],
)
def test_a_package_that_cannot_be_imported(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "devices_of.py").write_text(text)
    with pytest.raises(ImportError) as raised, patch.object(sys, "path", [str(tmp_path)]):
        importlib.import_module("devices_of")
    assert (unavailable(raised.value) or "").startswith(says)


@pytest.mark.parametrize(
    ("why", "says"), [("", "no device can be used"), ("none\n is left", "none")]
)
def test_without_a_device_it_is_no_bug(
    monkeypatch: pytest.MonkeyPatch, why: str, says: str
) -> None:
    monkeypatch.setenv("JAX_PLATFORMS", "cuda")
    bug = RuntimeError("of ours")
    assert unavailable(bug) is None
    monkeypatch.setattr(jax, "devices", Mock(side_effect=AssertionError(why)))
    expected = f"JAX, with JAX_PLATFORMS='cuda': {says}; expected a device that is there"
    assert unavailable(bug) == expected
