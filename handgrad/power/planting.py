"""A mistake put on what a function returns, wherever it is called."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

import jax
import numpy as np

from handgrad.data.attempts import raise_internal
from handgrad.data.pytrees import is_traced
from handgrad.judging.vectors import answers
from handgrad.power.mistakes import Call, Leaves, Mistake
from handgrad.power.targets import Target, keys_of

#: What libraries raise of arrays that a mistake cannot be made in.
UNFIT = (TypeError, ValueError, RuntimeError, IndexError)


class NoArrayError(TypeError):
    """A function returned something else than arrays."""


class _First(NamedTuple):
    """The first call, and what it returned; its numbers are 1 if JAX traced it."""

    call: Call
    keys: tuple[str, ...]
    leaves: Leaves


class Planting:
    """What a test gets in place of a derivative: it counts calls, and changes what they return."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.mistake: Mistake | None = None
        self.calls = 0  #: of the derivative
        self.traced = False  #: whether JAX traced one, so that it may keep what it returned
        self.unchanged = ""  #: why this mistake could not be made in what some call returned
        self.left = ""  #: where none was planted, so that what a test said is not of it
        self._first: _First | None = None
        self._seen, self._unseen, self._running = 0.0, False, False

    def plant(self, mistake: Mistake) -> None:
        """Make this mistake from now on."""
        self.mistake, self._seen, self._unseen, self.unchanged = mistake, 0.0, False, ""

    @property
    def change(self) -> float:
        """The largest relative change of an element since then; NaN if no number was seen."""
        return self._seen if self._seen or not self._unseen else float("nan")

    def mistakes(self) -> list[Mistake]:
        """Return all mistakes that can be made in what the first call returned."""
        first = self._first
        return [] if first is None else list(self.target.mistakes(*first))

    def wrapped(self, derivative: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Return the derivative, or what stands for it under some name, with the mistake."""
        function = self.target.function if derivative is None else derivative

        @wraps(function)
        def planted(*args: Any, **keywords: Any) -> Any:
            if self._running:  # it calls itself, or another of its names
                return function(*args, **keywords)
            self._running = True
            try:
                result = function(*args, **keywords)
            finally:
                self._running = False
            return self.returned(args, keywords, result)

        return planted

    def returned(self, args: tuple[Any, ...], keywords: dict[str, Any], result: Any) -> Any:
        """Return what a call returned, with the mistake; as it is if that cannot be made."""
        self.calls += 1
        try:
            return self._changed(Call(self._positional(args, keywords)), result)
        except Exception as error:  # of other arrays; a test must not take it for its own
            raise_internal(error, *UNFIT)
            self.unchanged = str(error).partition("\n")[0] or type(error).__name__
            return result

    def _positional(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
        if not keywords:
            return args
        return inspect.signature(self.target.function).bind(*args, **keywords).args

    def _changed(self, call: Call, result: Any) -> Any:
        value, derivative = result if self.target.has_value else (None, result)
        whole = _as_array(derivative)
        keys, parts, structure = keys_of(derivative if whole is None else whole, answers.is_matrix)
        if not parts:
            self.unchanged = f"it returned {type(derivative).__name__}"
            return result
        leaves = [_array(part) for part in parts]
        numbers = [_numbers(leaf) for leaf in leaves]
        self.traced |= any(map(is_traced, leaves))
        seen = all(found is not None for found in numbers)
        concrete = [
            np.ones(np.shape(x)) if n is None else n for x, n in zip(leaves, numbers, strict=True)
        ]
        if self._first is None or (self._unseen and seen):
            self._first = _First(call, keys, concrete)
        self._unseen |= not seen
        if self.mistake is None:
            return result
        wrong = self.mistake.made(leaves, call)
        if seen:
            self._seen = max(self._seen, _apart(concrete, [_numbers(x) for x in wrong]))
        again = [_back(x, part) for x, part in zip(wrong, parts, strict=True)]
        made = jax.tree_util.tree_unflatten(structure, again)
        made = made if whole is None else type(derivative)(made.tolist())
        return (value, made) if self.target.has_value else made


def _as_array(derivative: Any) -> np.ndarray | None:
    """Return a list of numbers, or of such lists, as an array; None for what is none."""
    if not isinstance(derivative, list | tuple):
        return None
    leaves = jax.tree_util.tree_leaves(derivative)
    if not leaves or not all(isinstance(x, int | float | np.generic) for x in leaves):
        return None
    try:
        return np.asarray(derivative, dtype=np.float64)
    except ValueError:  # rows of several lengths
        return None


def _array(part: Any) -> Any:
    """Return a leaf as an array of its own library; raises NoArrayError if it is none."""
    part = answers.dense(part)
    if isinstance(part, float | int | np.generic):
        return np.asarray(part)
    if not (hasattr(part, "dtype") and hasattr(part, "shape")):
        raise NoArrayError(f"it returned {type(part).__name__}, no array")
    return part


def _numbers(leaf: Any) -> np.ndarray | None:
    """Return a leaf's numbers; None while JAX traces it, or if they are of another kind."""
    if is_traced(leaf):
        return None
    leaf = leaf.detach().cpu() if hasattr(leaf, "detach") else leaf
    found = np.array(leaf)
    if found.dtype == object:  # power series, say, on which a check may run it again
        return None
    return found if found.dtype.kind == "c" else found.astype(np.float64)


def _apart(right: Leaves, wrong: Leaves) -> float:
    """Return the largest relative difference of an element."""
    largest = 0.0
    for a, b in zip(right, wrong, strict=True):
        size = np.abs(b - a)
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = np.where(size > 0, size / np.abs(a), 0.0)
        largest = max(largest, float(np.max(relative, initial=0.0)))
    return largest


def _back(wrong: Any, part: Any) -> Any:
    """Return a changed array as what the caller's function returns: a sparse matrix, a number."""
    if hasattr(part, "fromdense"):
        return type(part).fromdense(wrong)
    if answers.is_sparse(part):
        return type(part)(wrong)
    if answers.is_operator(part):
        from scipy.sparse.linalg import aslinearoperator

        return aslinearoperator(wrong)
    if isinstance(part, float | int | np.generic):
        return np.asarray(wrong).item() if isinstance(part, float | int) else wrong[()]
    return np.asmatrix(wrong) if isinstance(part, np.matrix) else wrong
