"""Find the gradients of a file, a package or a `pyproject.toml`, each with its loss and example.

Modules are imported, and names are looked up in them; no text of a file is run.
"""

import inspect
import pkgutil
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from handgrad.commands.loading import Loader, LoadingError, Location, parse
from handgrad.commands.targets import BadInput, again, as_bad_input, example_of, function_at, judged
from handgrad.data.findings import NotJudged
from handgrad.judging.options import rule_names
from handgrad.marks import ATTRIBUTE, OPTIONS, Mark

#: What a gradient is called beside NAME: NAME_grad, grad_NAME; or grad beside loss.
WORDS = ("grad", "gradient", "jac", "der", "deriv", "derivative", "prime", "d")
_AFTER = re.compile(rf"(.+)_(?:{'|'.join(WORDS[:-1])})")
_BEFORE = re.compile(rf"(_*)(?:{'|'.join(WORDS)})_(.+)")
_ALONE = ("grad", "gradient", "jac")

#: Modules that a package is not searched for pairs: they run something, or hold tests.
_LEFT_OUT = re.compile(r"__main__|tests?|test_.*|conftest")

#: What `[tool.handgrad]` may hold.
_KEYS, _OF_PAIR = ("search", "pairs"), ("name", "gradient", "loss", "like")


@dataclass(frozen=True)
class Pair:
    """A gradient with its loss and its example; called with options, it is judged."""

    name: str
    gradient: Any
    loss: Any
    like: Any
    where: str  #: the example's place, for messages
    #: Gradient, loss and example as `handgrad check` names them, if they have names.
    named: tuple[str, str, str] | None = None
    options: dict[str, Any] = field(default_factory=dict)  #: its own

    def __call__(self, **options: Any) -> Any:
        """Judge it; raises as `check_gradient`, and `BadInput` if there is no example."""
        point, options = example_of(self.like, self.where), options | self.options
        command = again(*self.named, options) if self.named else ""
        return judged(self.gradient, self.loss, point, options, command)


class Discovered(NamedTuple):
    """What was found: checks by their names, and what cannot be judged."""

    checks: dict[str, Any]
    not_judged: list[NotJudged]


def discover(source: str, loader: Loader) -> Discovered:
    """Find all there is to judge.

    Args:
        source: FILE.py, package.module, FILE.toml, or FILE.py:NAME, a dict or list of checks as
            `handgrad.audit` takes them, or a function that returns it.
        loader: imports them.

    Raises:
        LoadingError: there is no such file or module, or importing it failed.
        BadInput: it is of another form.
    """
    found = Discovered({}, [])
    if source.lower().endswith(".toml"):
        _of_toml(source, loader, found)
    elif ":" in source and not Path(source).exists():
        found.checks.update(_named(parse(source, "CHECKS"), loader))
    else:
        _of_source(source, loader, found)
    return found


def _named(location: Location, loader: Loader) -> dict[str, Any]:
    """Return the checks that an object in Python holds, or a function returns."""
    from handgrad.auditing import named

    checks = loader.load(location)
    if callable(checks):
        with as_bad_input(loader, {f"{location}": checks}):
            checks = checks()
    return named(checks, str(location))


def _of_source(source: str, loader: Loader, found: Discovered) -> None:
    """Add the pairs of a file, or of a package and all its modules."""
    module = loader.module(source)
    seen: set[int] = set()
    _of_module(source, module, found, seen)
    for name in _below(module):
        try:
            below = loader.module(name)
        except LoadingError as error:
            why = error.__cause__ or error
            found.not_judged.append(NotJudged(name, f"{type(why).__name__} when imported: {why}"))
            continue
        _of_module(name, below, found, seen)


def _below(module: ModuleType) -> Iterator[str]:
    """Yield the names of a package's modules; a package is imported when its turn comes."""
    for info in pkgutil.iter_modules(getattr(module, "__path__", [])):
        if _LEFT_OUT.fullmatch(info.name):
            continue
        name = f"{module.__name__}.{info.name}"
        yield name
        if info.ispkg and name in sys.modules:
            yield from _below(sys.modules[name])


def _of_module(source: str, module: ModuleType, found: Discovered, seen: set[int]) -> None:
    for name, value in list(vars(module).items()):
        mark = _mark(value)
        if isinstance(value, type) or not callable(value) or id(value) in seen:
            continue
        if getattr(value, "__module__", None) not in (None, module.__name__):
            continue  # imported from elsewhere
        loss = None if mark else _loss_of(name, module)
        if mark is None and loss is None:
            continue
        seen.add(id(value))
        mark = mark or Mark(getattr(module, str(loss)), None, {})
        _add(source, module, name, mark, found)


def _mark(value: Any) -> Mark | None:
    mark = getattr(value, "__dict__", {}).get(ATTRIBUTE)
    return mark if isinstance(mark, Mark) else None


def _loss_of(name: str, module: ModuleType) -> str | None:
    """Return the name of what a function is the gradient of, by its own name; None if it is not."""
    after, before = _AFTER.fullmatch(name), _BEFORE.fullmatch(name)
    names = ["loss"] if name in _ALONE else []
    names += [after[1]] if after else []
    names += [before[1] + before[2]] if before else []
    return next((n for n in names if callable(getattr(module, n, None))), None)


def _add(source: str, module: ModuleType, name: str, mark: Mark, found: Discovered) -> None:
    loss = _name_of(mark.loss, module)
    like, example = mark.like, "" if mark.like is None else _name_of(mark.like, module)
    if like is None:
        names = [n for stem in (loss, name) if stem for n in (f"{stem}_example", f"example_{stem}")]
        names += ["example"] if name in _ALONE else []
        example = next((n for n in names if hasattr(module, n)), "")
        like = getattr(module, example, None)
    title = f"{source}:{name}"
    if like is None:
        found.not_judged.append(NotJudged(title, _no_example(loss or name, mark.loss)))
        return
    named = (title, loss, example) if loss and example else None
    where = f"{source}:{example}" if example else f"like of {title}"
    options = dict(mark.options)
    if rules := options.get("trust_rules"):  # functions are named in the command
        options["trust_rules"] = tuple(sorted(rule_names(rules)))
    found.checks[title] = Pair(title, getattr(module, name), mark.loss, like, where, named, options)


def _name_of(value: Any, module: ModuleType) -> str:
    return next((name for name, other in vars(module).items() if other is value), "")


def _no_example(name: str, loss: Any) -> str:
    """Say that there is no example, and which line would make it one."""
    try:
        names = [
            p.name for p in inspect.signature(loss).parameters.values() if p.default is p.empty
        ]
    except (TypeError, ValueError):
        names = ["params"]
    arguments = f"{', '.join(names)}{',' * (len(names) == 1)}"
    return f"no example; `def {name}_example(): return ({arguments})` beside it would be one"


def _of_toml(source: str, loader: Loader, found: Discovered) -> None:
    """Add the pairs that `[tool.handgrad]` lists, and those of what it says to search."""
    table = _table(source)
    folder = Path(source).parent
    for name in _texts(source, "search", table.get("search", [])):
        _of_source(_from(folder, name), loader, found)
    for k, pair in enumerate(_list(source, "pairs", table.get("pairs", []))):
        _add_listed(f"{source}: tool.handgrad.pairs[{k}]", pair, folder, loader, found)


def _table(source: str) -> dict[str, Any]:
    try:
        with Path(source).open("rb") as file:
            table = tomllib.load(file).get("tool", {}).get("handgrad")
    except FileNotFoundError:
        raise BadInput(f"no such file: {source}; expected a pyproject.toml") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{source} is no TOML: {error}") from None
    if not isinstance(table, dict):
        raise BadInput(f"{source} has no table tool.handgrad; expected one with {_either(_KEYS)}")
    _known(f"{source}: tool.handgrad", table, _KEYS)
    return table


def _add_listed(where: str, pair: Any, folder: Path, loader: Loader, found: Discovered) -> None:
    if not isinstance(pair, dict):
        raise BadInput(f"{where} is {pair!r}; expected a table with {_either(_OF_PAIR)}")
    pair = {key.replace("-", "_"): value for key, value in pair.items()}
    _known(where, pair, (*_OF_PAIR, *OPTIONS))
    for key in _OF_PAIR[1:]:
        if not isinstance(text := pair.get(key), str):
            raise BadInput(f"{where} has {key} = {text!r}; expected a text, FILE.py:NAME or NAME")
    for key in ("has_value", "strict"):
        if not isinstance(flag := pair.get(key, False), bool):
            raise BadInput(f"{where} has {key} = {flag!r}; expected true or false")
    gradient = parse(_from(folder, pair["gradient"]), "gradient")
    loss, like = (
        parse(_from(folder, pair[key]) if ":" in pair[key] else pair[key], key, gradient.source)
        for key in ("loss", "like")
    )
    title = str(pair.get("name", gradient))
    options = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in pair.items()
        if key in OPTIONS
    }
    found.checks[title] = Pair(
        title,
        function_at(loader, gradient, "gradient(params, *inputs)"),
        function_at(loader, loss, "loss(params, *inputs)"),
        loader.load(like),
        str(like),
        (str(gradient), str(loss), str(like)),
        options,
    )


def _from(folder: Path, text: str) -> str:
    """Return the place of an object with a file's path from here, not from another folder."""
    source, colon, name = text.rpartition(":") if ":" in text else (text, "", "")
    is_file = source.lower().endswith(".py")
    return f"{folder / source if is_file else source}{colon}{name}"


def _known(where: str, table: dict[str, Any], keys: tuple[str, ...]) -> None:
    for key in table:
        if key not in keys:
            raise BadInput(f"{where} has the key {key!r}; expected {_either(keys)}")


def _list(source: str, key: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise BadInput(f"{source}: tool.handgrad.{key} is {value!r}; expected a list")
    return value


def _texts(source: str, key: str, value: Any) -> list[str]:
    for one in _list(source, key, value):
        if not isinstance(one, str):
            raise BadInput(f"{source}: tool.handgrad.{key} has {one!r}; expected a text")
    return value


def _either(keys: tuple[str, ...]) -> str:
    return f"{', '.join(keys[:-1])} or {keys[-1]}"
