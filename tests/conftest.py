"""Settings under which every test runs."""

import gc
import os
import signal
import sys
from importlib.metadata import version
from pathlib import Path

# A shell's background jobs ignore Ctrl-C, which commands leave so; here they are to answer to it.
# Workers, and what tests start, inherit it from the process that hands out the tests.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The quick tests run small programs once each, and compiling these with all optimisations takes
# twice as long. JAX also inspects the whole stack at every exception, to filter its traceback.
# Where XLA_FLAGS is set, even to nothing, both are left at their defaults: in `make test` for the
# equivalence tests, and in `make test-slow` without HURRIED=1.
if "XLA_FLAGS" not in os.environ:
    # Small programs are not worth being compiled in parts, side by side: that takes a third longer.
    flags = ["--xla_backend_optimization_level=0", "--xla_cpu_parallel_codegen_split_count=1"]
    # XLA ends the process at a flag that it does not know, and jaxlib 0.12 has lost this one.
    if version("jaxlib").startswith("0.10."):
        flags.append("--xla_cpu_use_fusion_emitters=false")
    os.environ |= {"XLA_FLAGS": " ".join(flags), "JAX_TRACEBACK_FILTERING": "off"}

# Losses that are sharded need two devices, which JAX makes of one processor if it is told early.
os.environ.setdefault("JAX_NUM_CPU_DEVICES", "2")

from collections.abc import Generator, Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module

import pytest
from _pytest.doctest import DoctestModule
from hypothesis import settings

from tests.once import Once
from tests.tiers import NIGHT, left_to_the_night

# Seeds are fixed in the quick tests, so that they say the same on every machine and every day; the
# thorough ones look further. A deadline per example would measure the machine, not the code.
settings.register_profile("quick", max_examples=200, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=3000, deadline=None, print_blob=True)
settings.load_profile("quick")


#: JAX's programs are made of many small objects, none of them in a circle: a twentieth of the time
#: went into looking for some at every 700 new ones, and a second each time into looking among all.
gc.set_threshold(20_000, 100)


@pytest.fixture(autouse=True)
def nothing_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test does to the oracle is not shared with later ones; without an import of JAX."""
    module, name = sys.modules.get("handgrad.oracle.shared"), "_REFERENCES"
    if (store := getattr(module, name, None)) is not None:
        monkeypatch.setattr(module, name, type(store)(store._most))


def pytest_configure(config: pytest.Config) -> None:
    """What XLA compiled for an earlier run is not compiled again; `--cache-clear` forgets it.

    It is found by the whole program, the flags and the version of jaxlib, by the processes that
    tests start as well. Without a folder of pytest's to keep it in, as under `-p no:cacheprovider`,
    it is not kept. The environment says it, since the process that hands out the tests, and would
    take a second over the import before its workers start, needs no JAX.
    """
    if (cache := getattr(config, "cache", None)) is not None:
        os.environ["JAX_COMPILATION_CACHE_DIR"] = str(cache.mkdir("jax"))
        os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
        if "jax" in sys.modules:  # by the conftest of a folder that pytest was asked for
            import jax

            jax.config.update("jax_compilation_cache_dir", os.environ["JAX_COMPILATION_CACHE_DIR"])
            jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)


def pytest_report_header() -> list[str]:
    """Say of the quick tests that they draw nothing new."""
    if not settings().derandomize:
        return []
    return [f"examples: {settings().max_examples} or fewer a test, the same in every run"]


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """A worker that has said all ends: it takes three seconds to take apart what JAX has built."""
    if hasattr(config, "workerinput"):
        os._exit(0)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A file that is slow as a whole is not imported where slow tests are left out."""
    if config.option.markexpr != "not slow" or collection_path.suffix != ".py":
        return None
    slow = "\npytestmark = pytest.mark.slow\n" in collection_path.read_text(encoding="utf-8")
    return True if slow else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Every other worker imports the modules of tests from the last to the first.

    All workers collect all tests, in one order, so that in a new checkout each would compile all
    modules, with pytest's assertions in them, and none would find what another one has compiled.
    From both ends they meet in the middle.
    """
    config = session.config
    if int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 2 == 0:
        return
    tests = [file for arg in config.args for file in sorted(Path(arg).rglob("test_*.py"))]
    for path in reversed(tests):
        name = path.resolve().relative_to(config.rootpath).with_suffix("")
        if name.parts[0] == "tests" and not pytest_ignore_collect(path, config):
            # Collecting it says what is wrong with it, or why it is skipped.
            with suppress(Exception, pytest.skip.Exception):
                import_module(".".join(name.parts))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """By day leave out what the night tries, of what -k and -m have chosen."""
    if not NIGHT and (night := left_to_the_night(items)):
        config.hook.pytest_deselected(items=list(night))
        items[:] = [item for item in items if item not in night]


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Tests have no examples in their docstrings; looking for some took a seventh of collecting."""
    return [file for file in (yield) if not isinstance(file, DoctestModule)]


@pytest.fixture(autouse=True, scope="session")
def strict_jax() -> Iterator[None]:
    """No silent promotion of dtypes or ranks in JAX.

    64 bits are *not* enabled here: our functions must do so by themselves, as they must for users.
    """
    import jax

    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield


@pytest.fixture(autouse=True, scope="session")
def one_context() -> Iterator[None]:
    """All that the quick tests lower share MLIR's context: making one for each took a sixth of it.

    Where XLA_FLAGS is set, see above, JAX makes its own.
    """
    from jax._src.interpreters import mlir

    with pytest.MonkeyPatch.context() as patch:
        if os.environ.get("JAX_TRACEBACK_FILTERING") == "off" and hasattr(mlir, "make_ir_context"):
            patch.setattr(mlir, "make_ir_context", cache(mlir.make_ir_context))
        yield


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """What is computed once is computed once for all workers, whose folders share a parent."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "once"
    folder.mkdir(exist_ok=True)
    return Once(folder)
