"""Settings under which every test runs."""

import os

# The quick tests run small programs once each: to compile one well takes twice as long, and more
# than half of their time; and JAX looks through the whole stack at every exception, to shorten it.
# Where the variable is set, as in the slow tests of `make` and in CI's second round of the quick
# ones, all is as it is for everybody.
if "XLA_FLAGS" not in os.environ:
    os.environ |= {
        "XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false",
        "JAX_TRACEBACK_FILTERING": "off",
    }

from collections.abc import Iterator

import jax
import pytest
from hypothesis import settings

from tests.once import Once

# Seeds are fixed in the quick tests, so that they say the same on every machine and every day; the
# thorough ones look further. A deadline per example would measure the machine, not the code.
settings.register_profile("quick", max_examples=200, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=3000, deadline=None, print_blob=True)
settings.load_profile("quick")


def pytest_configure(config: pytest.Config) -> None:
    """What XLA compiled for an earlier run is not compiled again; `--cache-clear` forgets it.

    It is found by the whole program, the flags and the version of jaxlib. Without a folder of
    pytest's to keep it in, as under `-p no:cacheprovider`, it is not kept.
    """
    if (cache := getattr(config, "cache", None)) is not None:
        jax.config.update("jax_compilation_cache_dir", str(cache.mkdir("jax")))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


@pytest.fixture(autouse=True, scope="session")
def strict_jax() -> Iterator[None]:
    """No silent promotion of dtypes or ranks in JAX.

    64 bits are *not* enabled here: our functions must do so by themselves, as they must for users.
    """
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """What is computed once is computed once for all workers, whose folders share a parent."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "once"
    folder.mkdir(exist_ok=True)
    return Once(folder)
