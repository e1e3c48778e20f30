"""Where torch is missing, one test is left in this folder, which says so."""

from pathlib import Path

from tests.torch_installed import is_installed

#: The file whose one test is skipped, or fails where torch is required.
SAYS_SO = "test_installed.py"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Without torch, no other file is imported, so that there is one line and not one for each."""
    is_file = collection_path.suffix == ".py" and collection_path.name != SAYS_SO
    return True if is_file and not is_installed() else None
