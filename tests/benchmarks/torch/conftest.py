"""Where torch is missing, tests/handgrad/torch/ says so, and nothing here is imported."""

from tests.torch_installed import is_installed

collect_ignore_glob = [] if is_installed() else ["*.py"]
