"""Write values as Python code: pytrees as literals, functions as imports."""

import dataclasses
import importlib.util
import sys
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import jax
import numpy as np

from handgrad.data import formats
from handgrad.data.point import shortly
from handgrad.program.aten.tensors import is_tensor, to_array
from handgrad.shrinking.layout import is_key
from handgrad.shrinking.literals import filled, number, text


@dataclass
class Source:
    """The imports and notes that a piece of code needs."""

    modules: dict[str, str] = field(default_factory=dict)  #: `import module as name`, by name
    names: dict[str, tuple[str, str]] = field(
        default_factory=dict
    )  #: (module, name) by alias; no module if own
    own: list[str] = field(default_factory=list)  #: notes on what the reader must add

    def written(self, tree: Any, path: str) -> str:
        """Write a value as code; `path` is its name if that is impossible."""
        if isinstance(tree, np.ndarray | np.generic | jax.Array):
            return self._array(tree, path)
        if is_tensor(tree):
            return self._tensor(tree)
        if tree is None or type(tree) in (bool, int, bytes):
            return repr(tree)
        if type(tree) in (float, complex, str):
            return number(tree) if type(tree) is not str else text(tree)
        if type(tree) is dict:
            items = [f"{self.written(k, path)}: {self.written(v, path)}" for k, v in tree.items()]
            return f"{{{', '.join(items)}}}"
        if type(tree) in (list, tuple):
            parts = ", ".join(self.written(part, path) for part in tree)
            comma = "," if len(tree) == 1 else ""
            return f"[{parts}]" if type(tree) is list else f"({parts}{comma})"
        return self._other(tree, path)

    def named(self, thing: Any, name: str) -> str:
        """Import a function or class and return its name; `name` if it cannot be imported."""
        home = home_of(thing)
        if home is None:
            name = self._alias("", name, name)
            called = getattr(thing, "__qualname__", None) or shortly(thing)
            also = f" ({called})" if called != name else ""
            self._note(f"{name} is your own{also}: define it here")
            return name
        module, name_there = home
        if not _found(module):
            module = Path(sys.modules[module].__file__ or name).stem
            self._note(f"{module} is a file of yours: put this test beside it")
        first, _, rest = name_there.partition(".")
        alias = self._alias(module, first, name)
        return f"{alias}.{rest}" if rest else alias

    def module(self, name: str, module: str) -> str:
        """Import a module under its usual name, and return the name."""
        self.modules[name] = module
        return name

    def lines(self) -> list[str]:
        """Return the lines of the imports."""
        plain = [
            f"import {module}" + (f" as {name}" if name != module else "")
            for name, module in sorted(self.modules.items(), key=lambda item: item[1])
        ]
        homes: dict[str, list[str]] = {}
        imported = {alias: home for alias, home in self.names.items() if home[0]}
        for alias, (module, name) in sorted(imported.items()):
            homes.setdefault(module, []).append(name + (f" as {alias}" if alias != name else ""))
        return [*plain, *(f"from {m} import {', '.join(names)}" for m, names in homes.items())]

    def _alias(self, module: str, first: str, name: str) -> str:
        for alias in (first, name, f"{name}_"):
            if self.names.setdefault(alias, (module, first)) == (module, first):
                return alias
        raise ValueError(f"{name}: no name is left for it")

    def _other(self, tree: Any, path: str) -> str:
        kind = type(tree)
        if isinstance(tree, tuple) and hasattr(kind, "_fields"):
            parts = zip(kind._fields, tree, strict=True)
        elif dataclasses.is_dataclass(tree):
            parts = [(f.name, getattr(tree, f.name)) for f in dataclasses.fields(tree) if f.init]
        elif home_of(tree) is not None:
            return self.named(tree, path)
        else:
            return self._unwritten(tree, path)
        written = [f"{name}={self.written(part, path)}" for name, part in parts]
        return f"{self.named(kind, kind.__name__)}({', '.join(written)})"

    def _array(self, array: Any, path: str) -> str:
        if is_key(array):
            return self._key(array)
        kind = "jnp" if isinstance(array, jax.Array) else "np"
        values, dtype = np.asarray(array), self._dtype(array.dtype, kind)
        if dtype is None or type(array).__module__.partition(".")[0] not in ("numpy", "jaxlib"):
            return self._unwritten(array, path)
        self.module(kind, {"np": "numpy", "jnp": "jax.numpy"}[kind])
        if isinstance(array, np.generic):
            return f"{dtype}({number(values[()])})"
        usual = kind == "np" and values.size and values.dtype in (np.float64, np.int64, np.bool_)
        return filled(kind, values, () if usual else (f"dtype={dtype}",))

    def _tensor(self, tensor: Any) -> str:
        self.module("torch", "torch")
        dtype = str(tensor.dtype)
        usual = dtype in ("torch.float32", "torch.int64", "torch.bool") and tensor.numel()
        made = filled("torch", to_array(tensor), () if usual else (f"dtype={dtype}",))
        return f"{made}.requires_grad_()" if tensor.requires_grad else made

    def _unwritten(self, value: Any, path: str) -> str:
        name = f"{path}_of_your_own"
        self._note(f"{name} cannot be written as code: {shortly(value)}")
        return name

    def _note(self, note: str) -> None:
        if note not in self.own:
            self.own.append(note)

    def _key(self, key: Any) -> str:
        self.module("jax", "jax")
        data = self.written(np.asarray(jax.random.key_data(key)), "key")
        return f"jax.random.wrap_key_data({data}, impl={str(jax.random.key_impl(key))!r})"

    def _dtype(self, dtype: Any, kind: str) -> str | None:
        if np.dtype(dtype).kind in "fiubc" and hasattr(np, dtype.name):
            return f"{kind}.{dtype.name}"
        if formats.is_half(dtype) and kind == "np":
            self.module("ml_dtypes", "ml_dtypes")
            return f"ml_dtypes.{dtype.name}"
        if hasattr(jax.numpy, dtype.name):
            self.module("jnp", "jax.numpy")
            return f"jnp.{dtype.name}"
        return None


def home_of(thing: Any) -> tuple[str, str] | None:
    """Return the module of an object and its name there; None if there is none."""
    module = sys.modules.get(getattr(thing, "__module__", None) or "")
    if module is None or module.__name__ == "__main__":
        return None
    name = getattr(thing, "__qualname__", "")
    there = reduce(lambda found, part: getattr(found, part, None), name.split("."), module)
    if not name or "<" in name or there is not thing:
        # A lambda may have been assigned to a name.
        names = [name for name, value in vars(module).items() if value is thing]
        if not names:
            return None
        name = names[0]
    return module.__name__, name


def _found(module: str) -> bool:
    """Tell whether a module can be imported by its name; one loaded by path cannot."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return False
    # find_spec finds a loaded module by any name, so the file name must match too.
    if spec is None or spec.origin is None:
        return spec is not None
    file = Path(spec.origin)
    return (file.parent.name if file.stem == "__init__" else file.stem) == module.split(".")[-1]
