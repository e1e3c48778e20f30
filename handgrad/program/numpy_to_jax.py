"""Translate a NumPy loss to `jax.numpy`: the same code, with the modules replaced.

This serves the diagnosis, if the code has the exact gradient in JAX too, and the rerun of a
gradient that lost digits, if it loses as many in JAX. Code that writes into arrays, or needs
floats, cannot be translated.
"""

import math
import sys
from collections.abc import Callable, Iterator
from dis import get_instructions
from functools import cache, lru_cache, partial, wraps
from importlib import import_module
from inspect import signature
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy import special

from handgrad.data.frames import is_own

#: What a certificate says of code that was translated.
TRANSLATED = "of its code in jax.numpy in place of NumPy"


def _beta(a: Any, b: Any) -> Any:
    signs = (special.gammasgn(x) for x in (a, b, a + b))
    return math.prod(signs) * jnp.exp(_betaln(a, b))


def _betaln(a: Any, b: Any) -> Any:
    return special.gammaln(a) + special.gammaln(b) - special.gammaln(a + b)


#: Functions whose counterpart in JAX is a fit or a series that ends early, so that its derivative
#: has from 7 to 15 digits, or has another name; and what is exact, or None where nothing is.
_FITTED: dict[str, Any] = {
    **dict.fromkeys(
        "scipy.linalg." + name for name in ("eigh_tridiagonal", "expm", "expm_frechet", "polar")
    ),
    "scipy.special.beta": _beta,
    "scipy.special.betaln": _betaln,
    "scipy.special.hyp2f1": None,
    "scipy.special.ndtri": lambda p: math.sqrt(2) * lax.erf_inv(2 * p - 1),
    "scipy.special.psi": special.digamma,  # the name that SciPy's digamma has for itself
}

#: Functions that read one triangle of a Hermitian matrix, where JAX's read both or take their mean;
#: and whether it is the lower one, by their options; None if these say that they read the whole.
_ONE_TRIANGLE: dict[str, Callable[[dict[str, Any]], bool | None]] = {
    "numpy.linalg.cholesky": lambda given: not given["upper"],
    **dict.fromkeys(
        ("numpy.linalg.eigh", "numpy.linalg.eigvalsh"), lambda given: given["UPLO"] in "Ll"
    ),
    **dict.fromkeys(
        ("numpy.linalg.svd", "numpy.linalg.pinv", "numpy.linalg.matrix_rank"),
        lambda given: True if given["hermitian"] else None,
    ),
    **dict.fromkeys(
        ("scipy.linalg.cholesky", "scipy.linalg.cho_factor", "scipy.linalg.eigh"),
        lambda given: given["lower"],
    ),
    "scipy.linalg.solve": lambda given: (
        given["lower"] if (given["assume_a"] or "gen")[:3] in ("sym", "her", "pos") else None
    ),
}


#: What code may refer to as data.
_DATA = np.ndarray, np.generic, jax.Array, int, float, str

#: What writes to an array, or an object: instructions, and names of methods and options.
_WRITING = "STORE_SUBSCR", "STORE_SLICE", "STORE_ATTR", "STORE_GLOBAL", "DELETE_"
_WRITERS = {"sort", "partition", "fill", "put", "itemset", "resize", "setfield", "byteswap"}
_WRITERS |= {"setflags", "flags", "out=", "inplace=", "setattr", "exec", "eval", "getattr"}

#: What keeps programs, or results, of a function.
_WRAPPED = type(jax.jit(abs)), type(cache(abs))

#: What code refers to without a variable of its own, and may get something in place of.
_BUILTIN = {"float": float, "type": type, "isinstance": isinstance, "hasattr": hasattr}


class NoCounterpartError(AttributeError):
    """JAX has no function of this name."""


class Library(ModuleType):
    """JAX's functions in place of those of a module of NumPy's or SciPy's, with its meaning."""

    def __getattr__(self, name: str) -> Any:
        path = f"{self.__name__}.{name}"
        found = getattr(import_module(f"jax.{self.__name__}"), name, None)
        if found is None:
            raise NoCounterpartError(f"jax.{path}")
        if isinstance(found, ModuleType):
            found = Library(path)
        elif path in _ONE_TRIANGLE:
            theirs = getattr(import_module(self.__name__), name)
            found = _of_one_triangle(theirs, found, _ONE_TRIANGLE[path])
        setattr(self, name, _FITTED.get(path, found))
        return vars(self)[name]


#: The modules that are replaced.
LIBRARIES = {
    name: Library(name)
    for name in (
        *("numpy", "numpy.linalg", "numpy.fft"),
        *("scipy", "scipy.special", "scipy.linalg"),
    )
}


def _of_one_triangle(theirs: Any, ours: Any, lower: Callable[[dict[str, Any]], bool | None]) -> Any:
    """Let a function of JAX's read the same triangle as NumPy's or SciPy's, also in derivatives."""
    parameters = signature(theirs)

    @wraps(ours)
    def reads_one(*args: Any, **options: Any) -> Any:
        given = parameters.bind(*args, **options)
        (_, a), *others = given.arguments.items()
        given.apply_defaults()
        which = lower(given.arguments)
        if which is not None:
            # SciPy's `solve` knows complex symmetric matrices as well.
            conjugate = "sym" not in given.arguments.get("assume_a", "")
            a = _hermitian(jnp.asarray(a), which, conjugate)
            others = [(name, value) for name, value in others if name not in ("UPLO", "assume_a")]
        return ours(a, **dict(others))

    return reads_one


def _hermitian(a: Any, lower: bool, conjugate: bool) -> Any:
    """Return the Hermitian, or symmetric, matrices of which one triangle is given."""
    read = np.tri(a.shape[-1], dtype=bool)
    rows, columns = np.sort(np.indices(read.shape), axis=0)[:: -1 if lower else 1]
    whole = a[..., rows, columns]
    if not (conjugate and jnp.iscomplexobj(a)):
        return whole
    whole = jnp.where(read if lower else read.T, whole, jnp.conj(whole))
    return jnp.where(np.eye(*read.shape, dtype=bool), whole.real.astype(whole.dtype), whole)


def counterpart_of(function: Any) -> Any:
    """Return what computes the same in JAX, also its derivatives; None if there is nothing."""
    name = getattr(function, "__name__", "")
    if str(getattr(function, "__module__", "")).startswith("jax."):
        return function
    for home, library in LIBRARIES.items():
        if getattr(sys.modules.get(home), name, None) is function:
            return getattr(library, name, None)
    return None


def in_jax(function: Callable[..., Any]) -> Callable[..., Any]:
    """Copy a function, and all that it calls, with JAX's modules in place of NumPy's.

    Args:
        function: any object; only plain functions are changed.
    """
    return _Translation().of(function)


def in_jax_with_promotion(function: Callable[..., Any]) -> Callable[..., Any]:
    """Copy a function as `in_jax` does; it promotes as NumPy does, however strict JAX is set."""
    code = in_jax(function)

    @wraps(function)
    def in_its_place(*args: Any) -> Any:
        with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
            return code(*args)

    return in_its_place


def replaced(
    function: Callable[..., Any], one: Callable[[Any], Any], of_compiled: bool = False
) -> Callable[..., Any]:
    """Copy a function, and all that it calls, with other values in place of what it refers to.

    Args:
        function: any object; only plain functions are changed.
        one: returns what takes the place of a value that is no function; itself if nothing does.
        of_compiled: whether functions that JAX compiles, or whose results are kept, are plain ones.
    """
    return _Replacement(one, of_compiled).of(function)


def may_look(function: Callable[..., Any]) -> bool:
    """Tell whether code refers to what runs on arrays of NumPy's alone, or tells them from tracers.

    What it reaches through objects is not seen, so that a method or an object may.
    """
    found = not isinstance(function, FunctionType | partial)

    def one(value: Any) -> Any:
        nonlocal found
        home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "")
        of_numpy = str(home).partition(".")[0] in ("numpy", "scipy", "math")
        asks = any(value is each for each in (type, isinstance, hasattr))
        found |= of_numpy or asks or isinstance(value, MethodType)
        return value

    replaced(function, one)
    return found


def may_write(function: Callable[..., Any]) -> bool:
    """Tell whether code may write to an array in place, or calls what is not known not to.

    What neither looks nor writes is the same function of NumPy's arrays as of tracers.
    """
    found = not isinstance(function, FunctionType)

    def one(value: Any) -> Any:
        nonlocal found
        leaves = jax.tree_util.tree_leaves(value)
        home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "")
        of_jax = str(home).partition(".")[0] == "jax"
        found |= not (of_jax or all(isinstance(leaf, _DATA) for leaf in leaves))
        return value

    copies = _Replacement(one)
    copies.of(function)
    made = [copy for _, copy in copies.made.values() if isinstance(copy, FunctionType)]
    return found or any(_writes(copy.__code__) for copy in made)


@lru_cache(512)
def _writes(code: CodeType) -> bool:
    """Tell whether code has an instruction or a name that may write to an array."""
    within = any(_writes(const) for const in code.co_consts if isinstance(const, CodeType))
    done = {i.opname if i.opname != "BINARY_OP" else i.argrepr for i in get_instructions(code)}
    in_place = any(name.startswith(_WRITING) or name.endswith("=") for name in done)
    return within or in_place or not _WRITERS.isdisjoint(names(code))


def names_in(function: Callable[..., Any]) -> set[str]:
    """Return the names that a function uses, and all that it calls, methods of objects included."""

    def looked_through(value: Any) -> Any:
        for method in _methods(value, set()):
            copies.of(method)
        return value  # which a `partial` calls

    copies = _Replacement(looked_through, of_compiled=True)
    copies.of(function)
    copies.of(getattr(function, "__self__", None))
    made = (copy for _, copy in copies.made.values())
    return set().union(*(names(copy.__code__) for copy in made if isinstance(copy, FunctionType)))


def _methods(value: Any, seen: set[int]) -> Iterator[FunctionType]:
    """Yield the methods of the caller's objects, and of those that they or a list have."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, list | tuple | dict):
        parts = [*value.values()] if isinstance(value, dict) else [*value]
    else:
        kinds = value.__mro__ if isinstance(value, type) else type(value).__mro__
        found = [f for kind in kinds for f in vars(kind).values() if isinstance(f, FunctionType)]
        own = [f for f in found if is_own(f.__code__.co_filename)]
        yield from own
        parts = [*vars(value).values()] if own and hasattr(value, "__dict__") else []
    for part in parts:
        if isinstance(part, FunctionType):
            yield part
        else:
            yield from _methods(part, seen)


class _Translation:
    """Keeps one copy of each function and of its variables, so that the copies share them."""

    def __init__(self) -> None:
        self.made: dict[int, tuple[Any, Any]] = {}

    def of(self, value: Any) -> Any:
        """Return the replacement of a value that a function refers to."""
        if isinstance(value, ModuleType):
            if value.__name__ == "scipy.stats":  # which takes a second to load
                return import_module("jax.scipy.stats")
            return LIBRARIES.get(value.__name__, value)
        if isinstance(value, FunctionType):
            return self._function(value) if _is_own(value) else value
        if isinstance(value, MethodType):
            return MethodType(self.of(value.__func__), value.__self__)
        if isinstance(value, partial):
            return partial(self.of(value.func), *value.args, **value.keywords)
        if isinstance(value, np.ufunc) or _of_numpy(value):
            return counterpart_of(value) or value
        return value

    def _function(self, function: FunctionType) -> FunctionType:
        if id(function) in self.made:
            return self.made[id(function)][1]
        # What one copy assigns to a global or enclosing variable, others read.
        old = function.__globals__
        variables = self._kept(old, lambda: dict(old))
        cells = tuple(self._kept(cell, CellType) for cell in function.__closure__ or ())
        copy = FunctionType(function.__code__, variables, function.__name__, None, cells)
        self._kept(function, lambda: copy)
        copy.__defaults__ = tuple(map(self.of, function.__defaults__ or ()))
        copy.__kwdefaults__ = {k: self.of(v) for k, v in (function.__kwdefaults__ or {}).items()}
        for name in names(function.__code__):
            if name in old or name in _BUILTIN:
                variables[name] = self.of(old.get(name, _BUILTIN.get(name)))
        for cell, of in zip(cells, function.__closure__ or (), strict=True):
            try:
                cell.cell_contents = self.of(of.cell_contents)
            except ValueError:
                continue  # a closure variable without a value yet
        return copy

    def _kept(self, of: Any, make: Callable[[], Any]) -> Any:
        """Return what was made of an object before; it is kept, so that its id is not reused."""
        if id(of) not in self.made:
            self.made[id(of)] = of, make()
        return self.made[id(of)][1]


class _Replacement(_Translation):
    """The same with other values."""

    def __init__(self, one: Callable[[Any], Any], of_compiled: bool = False) -> None:
        super().__init__()
        self._one, self._of_compiled = one, of_compiled

    def of(self, value: Any) -> Any:
        """Return the replacement of a value that a function refers to."""
        if self._of_compiled and isinstance(value, _WRAPPED):
            return self.of(value.__wrapped__)  # pyright: ignore[reportAttributeAccessIssue]
        own = isinstance(value, FunctionType) and _is_own(value)
        through = own or isinstance(value, MethodType | partial)
        return super().of(value) if through else self._one(value)


def names(code: CodeType) -> set[str]:
    """Return the names that code uses, and options as `where=`; of nested functions as well."""
    within = [names(const) for const in code.co_consts if isinstance(const, CodeType)]
    options = [f"{o}=" for const in code.co_consts if isinstance(const, tuple) for o in const]
    return set(code.co_names).union(options, *within)


def _is_own(function: FunctionType) -> bool:
    """Tell whether a function may refer to NumPy: one not of NumPy, SciPy or JAX."""
    module = (function.__module__ or "").partition(".")[0]
    return module not in ("numpy", "scipy", "jax")


def _of_numpy(value: Any) -> bool:
    return callable(value) and str(getattr(value, "__module__", "")).startswith(("numpy", "scipy"))
