"""What code in NumPy gets in place of what it refers to, so that all of it takes numbers of series.

NumPy dispatches to series what it is given of them, but an array that it makes itself holds floats
alone, `np.asarray(x, float)` and `float(x[0])` ask for floats, and functions of `math`, SciPy and
JAX know nothing of series. A copy of the code, which refers to functions, types and data that do,
has none of these limits. What it reaches through lists and dictionaries is not replaced.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial, reduce, wraps
from importlib import import_module
from types import GeneratorType, ModuleType
from typing import Any

import jax
import numpy as np

from handgrad.clock import SECONDS, OutOfTimeError, check_time, limited, time_left
from handgrad.data.attempts import raise_internal
from handgrad.data.brake import braked
from handgrad.data.formats import is_floating
from handgrad.data.numerals import plural
from handgrad.data.pytrees import is_real
from handgrad.data.silent import quiet
from handgrad.data.ulps import ANOTHER
from handgrad.oracle.numpy_losses.series import NotOnSeriesError, Number, Series, Session
from handgrad.oracle.numpy_losses.sparse import makes_sparse, sparse
from handgrad.program.numpy_to_jax import counterpart_of, replaced

#: The modules whose functions have stand-ins, and those that lead there. Loops of `jax.lax` and
#: solvers have errors of their own, which nobody would measure here.
_HOMES = ("numpy.", "scipy.", "math.", "jax.numpy.", "jax.nn.", "jax.scipy.special.")
_HOMES += ("jax.scipy.linalg.", "jax.lax.lax.")
_ABOVE = ("jax", "jax.lax", "jax.scipy")

#: How far away a function runs before and after it runs on series, in sizes of its numbers: farther
#: than any rounding, or nearer where it is not defined there or does not end.
ASIDE = 2.0**-4, -(2.0**-4), 2.0**-12, -(2.0**-12)

#: The part of the time that is left in which it must.
PART = 1 / 16

#: Arrays of more floats stay as they are: each would cost as much as an operation on series.
_MOST = 2**16


class VariesError(Exception):
    """A function gave one number, and another when it was called again with the same."""


def _special(name: str, x: Any) -> Any:
    return getattr(import_module("scipy.special"), name)(x)  # which takes long to load


#: What a function of `math` is on numbers of a series, if not NumPy's of the same name.
_OF_MATH: dict[str, Callable[..., Any]] = {
    **{name: partial(_special, name) for name in ("erf", "erfc", "gamma")},
    "lgamma": partial(_special, "gammaln"),
    "fabs": np.abs,
    "fsum": sum,
    "hypot": lambda *sides: reduce(np.hypot, sides),
    "isclose": math.isclose,  # NumPy's has another tolerance
    "remainder": math.remainder,  # and this is another function there
    "log": lambda x, *base: np.log(x) / np.log(base[0]) if base else np.log(x),
}

#: The place of the dtype among the arguments of NumPy's functions that make arrays.
_DTYPE = {"full": 2, "full_like": 2} | dict.fromkeys(
    (
        *("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray"),
        *("fromiter", "empty_like", "ones_like", "zeros_like"),
    ),
    1,
)


def on_series(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that runs as its copy with stand-ins wherever it gets numbers of series."""
    return _apart(function, lambda session: replaced(function, partial(_in_place_of, session)))


def apart(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that runs on series as if it had kept nothing of its runs before."""
    return _apart(function, lambda _: function)


def _apart(
    function: Callable[..., Any], code: Callable[[Session], Callable[..., Any]]
) -> Callable[..., Any]:
    """Return a function that runs as other code wherever it gets numbers of series.

    It runs itself elsewhere before: what it has kept of floats at the point would be a constant
    there, and one of the right value. And after: nothing of series is to be left where it keeps it.
    What gives something else where it ran before is no function, and does not run again.
    """
    aside = [*ASIDE]  # where the function ran last comes first
    gave: dict[int, np.ndarray] = {}  # by the numbers that it was given
    varied: list[VariesError] = []

    def check_same(given: int, numbers: np.ndarray) -> None:
        before = gave.setdefault(given, numbers)
        if (apart := _varying(before, numbers)) is not None:
            varied.append(VariesError(*apart))
            raise varied[0]

    def run_elsewhere(args: Any) -> None:
        late = False
        for by in [*aside]:
            there = jax.tree_util.tree_map(partial(_moved, by), args)
            given = hash(_numbers(there).tobytes())
            try:
                seconds = PART * time_left(SECONDS)
                with jax.enable_x64(True), quiet(), limited(seconds) as clock, braked(clock):
                    numbers = _numbers(function(*there))
            except OutOfTimeError:
                check_time()
                late = True
            except Exception as error:  # of the caller's code there
                raise_internal(error, Exception)
            else:
                aside.insert(0, aside.pop(aside.index(by)))
                return check_same(given, numbers)
        if late:
            raise OutOfTimeError
        raise NotOnSeriesError("a function that is not defined nearby")

    @wraps(function)
    def run(*args: Any) -> Any:
        leaves = jax.tree_util.tree_leaves(args)
        session = next((a.session for a in leaves if isinstance(a, Series | Number)), None)
        if session is None:
            return function(*args)
        if varied:
            raise varied[0]
        run_elsewhere(args)
        try:
            return code(session)(*args)
        finally:
            with suppress(NotOnSeriesError):
                run_elsewhere(args)

    return run


def _numbers(tree: Any) -> np.ndarray:
    """Return all floats of a tree, (size,), in float64."""
    leaves = (a for a in jax.tree_util.tree_leaves(tree) if isinstance(a, float) or is_real(a))
    return np.concatenate([np.zeros(0), *(np.asarray(a, float).ravel() for a in leaves)])


def _varying(one: np.ndarray, other: np.ndarray) -> tuple[Any, Any] | None:
    """Return two numbers that are no sums of the same terms in another order; None if none are."""
    if one.shape != other.shape:
        return plural(one.size, "number"), plural(other.size, "number")
    size = np.max(np.abs(one), initial=0.0, where=np.isfinite(one))
    same = np.isclose(one, other, rtol=0, atol=ANOTHER * size, equal_nan=True)
    return None if same.all() else (one[~same][0].item(), other[~same][0].item())


def _moved(by: float, leaf: Any) -> Any:
    """Return numbers as floats, moved by a part of their size; a copy of other arrays.

    Zeros stay, which code may ask for, but for a leaf that is nothing else: it would not move.
    """
    if isinstance(leaf, Number):
        return (1 + by) * float(leaf.value) or by
    if not isinstance(leaf, Series):
        return leaf.copy() if isinstance(leaf, np.ndarray) else leaf
    balls = (e.value if isinstance(e, Number) else e for e in leaf.ravel())
    floats = np.fromiter(map(float, balls), float, leaf.size).reshape(leaf.shape)
    return (1 + by) * floats if floats.any() else floats + by


def _in_place_of(session: Session, value: Any) -> Any:
    """Return what takes the place of a value that code refers to; itself if nothing does."""
    if isinstance(value, ModuleType):
        home = value.__name__ in _ABOVE or _is_home(value.__name__)
        return _Module(value, session) if home else value
    if makes_sparse(value):
        return partial(sparse, session, value)
    if value is type:
        return _type_of
    if isinstance(value, type):
        return _float_or_number(value) if _of_floats(value) else value
    if isinstance(value, np.ndarray):
        return _constant(_boxed(session, value))
    name, home = getattr(value, "__name__", ""), str(getattr(value, "__module__", ""))
    if not (callable(value) and name and _is_home(home)) or isinstance(value, np.ufunc):
        return value
    return wraps(value)(partial(_called, session, value))


def _is_home(name: str) -> bool:
    return f"{name.replace('jax._src', 'jax')}.".startswith(_HOMES)


class _Module(ModuleType):
    """A module with stand-ins for its functions."""

    def __init__(self, of: ModuleType, session: Session) -> None:
        super().__init__(of.__name__)
        self._found = lambda name: _in_place_of(session, getattr(of, name))

    def __getattr__(self, name: str) -> Any:
        setattr(self, name, self._found(name))
        return vars(self)[name]


def _called(session: Session, function: Any, *args: Any, **options: Any) -> Any:
    """Call a function; its arrays of floats hold numbers of series."""
    args = tuple([*a] if isinstance(a, GeneratorType) else a for a in args)
    leaves = jax.tree_util.tree_leaves((args, options))
    on_series = any(isinstance(leaf, Series | Number) for leaf in leaves)
    name, top = function.__name__, function.__module__.partition(".")[0]
    if on_series and top == "math":
        function = _OF_MATH.get(name) or getattr(np, name, function)
    elif on_series and name in ("allclose", "isclose"):
        # In JAX's, comparisons of one line say different things of whether a loop ends there.
        function = getattr(np, name)
    elif on_series and top != "numpy" and counterpart_of(function):
        return session.function(function, args, options)
    elif on_series:
        place = _DTYPE.get(name, len(args))
        options = dict(zip(("dtype",), args[place:], strict=False)) | options
        args = args[:place]
        dtype = options.get("dtype")
        if dtype is not None and is_floating(np.dtype(dtype)):
            options["dtype"] = np.dtype(object)
    try:
        with jax.enable_x64(True):
            made = function(*args, **options)
    except (TypeError, ValueError) as error:  # but for what callers catch, such as `LinAlgError`
        if on_series and type(error) in (TypeError, ValueError):
            raise NotOnSeriesError(f"{name} refused numbers of series: {error}") from error
        raise
    if name in ("empty", "empty_like") and is_floating(made.dtype):
        made, on_series = np.empty(made.shape, object), True  # of None, which nobody may read
    return _boxed(session, made, on_series)


def _boxed(session: Session, made: Any, of_objects: bool = False) -> Any:
    """Return an array of floats, or several, as arrays that can hold numbers of series."""
    if type(made) in (tuple, list):
        return type(made)(_boxed(session, part, of_objects) for part in made)
    made = np.asarray(made) if isinstance(made, jax.Array) else made
    if type(made) is not np.ndarray or made.size > _MOST:
        return made
    if is_floating(made.dtype):
        numbers = made.astype(np.float64)
        return session.series(np.fromiter(numbers.flat, object, made.size).reshape(made.shape))
    return session.series(made) if of_objects and made.dtype == object else made


def _constant(array: np.ndarray) -> np.ndarray:
    """Let nobody write to an array from outside: other names of its memory would not see it."""
    if isinstance(array, Series):
        array.flags.writeable = False
    return array


def _of_floats(kind: type) -> bool:
    return kind in np.float64.__mro__[:-1] or issubclass(kind, np.floating)


@cache
def _float_or_number(of: type) -> Any:
    """Return a type of floats whose instances numbers of series are, too; NumPy has its dtype."""
    concrete = of is not np.floating and issubclass(of, float | np.floating)
    dtype = {"dtype": np.dtype(of)} if concrete else {}
    return _FloatOrNumber(of.__name__, (), {"of": of, **dtype})


class _FloatOrNumber(type):
    of: Any

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, (cls.of, Number))

    def __call__(cls, x: Any = 0.0) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Cast a float; a number stays what it is."""
        x = x[()] if isinstance(x, Series) else x
        return x if isinstance(x, Series | Number) else cls.of(x)

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls.of, name)


def _type_of(*args: Any) -> Any:
    """Do what `type` does; an array of series is an array, and a number a float."""
    found = type(*args)
    found = {Series: np.ndarray, Number: np.float64}.get(found, found)
    return _float_or_number(found) if len(args) == 1 and _of_floats(found) else found
