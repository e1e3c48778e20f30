"""Load the objects that a user names: `FILE.py:name` and `package.module:name`."""

import difflib
import importlib
import itertools
import os
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

_IN_A_FOLDER = "a Python file in it: FILE.py:name"

#: The most names to list where none is similar.
MOST_NAMES = 6

_numbers = itertools.count(1)


class LoadingError(Exception):
    """No object has the name; the message is one line that says what was expected.

    If an error in the file's own code is the reason, it is the `__cause__`.
    """


class Location(NamedTuple):
    """The file or module of an object, and its name there."""

    source: str  #: a file or a module
    name: str  #: the object's name there, with dots for what is inside another

    def __str__(self) -> str:
        return f"{self.source}:{self.name}"


def parse(text: str, expected: str, source: str | None = None) -> Location:
    """Parse the location of an object.

    Args:
        text: `FILE.py:name` or `package.module:name`; with a source also `:name` and `name`.
        expected: an example of a name for the error message, `gradient`.
        source: the default file or module.

    Returns:
        The location; nothing is loaded yet.

    Raises:
        LoadingError: the text has another form.
    """
    before, colon, name = text.rpartition(":")
    before = before or source or ""
    is_a_file = not colon and _is_a_path(text)
    if is_a_file or not before or not all(map(str.isidentifier, name.split("."))):
        is_python = not os.path.isfile(text) or text.lower().endswith(".py")
        found = repr(text) + ("" if is_python else " is not Python")
        raise LoadingError(f"{found}; expected FILE.py:{expected} or package.module:{expected}")
    return Location(before, name)


def _is_a_path(text: str) -> bool:
    """Whether a text is the path of a file, and not the name of a module."""
    separators = [sign for sign in (os.sep, os.altsep) if sign]
    return text.lower().endswith(".py") or any(sign in text for sign in separators)


class Loader:
    """Loads objects; a file with several of them is imported once."""

    def __init__(self) -> None:
        self._modules: dict[str, ModuleType] = {}
        self.named: list[Path] = []  #: the files and packages that were loaded

    def load(self, location: Location) -> Any:
        """Load an object.

        Importing a file runs it. Its folder is put first on `sys.path` and stays there.

        Raises:
            LoadingError: there is no such file, module or name, or importing it failed.
        """
        found: Any = self.module(location.source)
        for part in location.name.split("."):
            if not hasattr(found, part):
                if getattr(found, "__file__", "") is None:  # Python imports any folder
                    raise LoadingError(f"{location.source} is a folder; expected {_IN_A_FOLDER}")
                raise LoadingError(f"{location.source} has no {part!r}{_instead(part, found)}")
            found = getattr(found, part)
        return found

    def module(self, source: str) -> ModuleType:
        """Import a file or a module, once; raises as `load`."""
        if source not in self._modules:
            self._modules[source] = self._import(source)
        return self._modules[source]

    def _import(self, source: str) -> ModuleType:
        try:
            if _is_a_path(source) or os.path.isfile(source):
                self.named.append(_existing(source))
                return _import_file(self.named[-1])
            if os.getcwd() not in sys.path:
                sys.path.insert(0, os.getcwd())  # as `python -m` does
            module = importlib.import_module(source)
        except (LoadingError, KeyboardInterrupt):
            raise
        except BaseException as error:  # a file may also end the process: SystemExit
            missing = error.name if isinstance(error, ModuleNotFoundError) else None
            if missing and f"{source}.".startswith(f"{missing}."):
                raise LoadingError(
                    f"no module named {missing!r}; expected FILE.py or package.module, from here"
                ) from None
            raise LoadingError(f"{source} raised {type(error).__name__} when imported") from error
        package = sys.modules[source.partition(".")[0]]
        own = getattr(package, "__file__", None) or os.devnull  # one that is built in has none
        self.named += map(Path, getattr(package, "__path__", [own]))
        return module


def _instead(word: str, owner: Any) -> str:
    """Return `; did you mean 'gradient'?`, or a few public names if none is similar."""
    names = [
        name
        for name, value in getattr(owner, "__dict__", {}).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    ]
    near = difflib.get_close_matches(word, names, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    some = ", ".join(names[:MOST_NAMES]) + (", ..." if names[MOST_NAMES:] else "")
    return f"; it has {some}" if names else ""


def _existing(source: str) -> Path:
    path = Path(source)
    try:
        path.stat()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise LoadingError(f"{source}: {error.strerror}; expected a Python file") from None
    if path.is_dir():
        raise LoadingError(f"{path} is a folder; expected {_IN_A_FOLDER}")
    if not path.exists():
        folder = path.parent
        siblings = [file.name for file in folder.glob("*.py")] if folder.is_dir() else []
        near = difflib.get_close_matches(path.name, siblings, n=1)
        hint = f"; did you mean {str(folder / near[0])!r}?" if near else ""
        raise LoadingError(f"no such file: {path}{hint or '; expected a Python file'}")
    if path.suffix.lower() != ".py":
        raise LoadingError(f"{path} is not Python; expected a file whose name ends in .py")
    return path.resolve()


def _import_file(path: Path) -> ModuleType:
    name = f"{path.stem}_{next(_numbers)}_of_handgrad"
    spec = spec_from_file_location(name, path, loader=SourceFileLoader(name, str(path)))
    if spec is None or spec.loader is None:
        raise LoadingError(f"{path}; expected a Python file")
    sys.path.insert(0, str(path.parent))
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
