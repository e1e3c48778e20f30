"""Find the derivatives of a file or a package, by name and decorator, or the checks of a list."""

import pkgutil
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from handgrad.commands.kinds import KINDS, ambiguous, named, settled, value_of
from handgrad.commands.loading import Loader, LoadingError, Location, parse
from handgrad.commands.targets import again, as_bad_input, example_of, judged, needed
from handgrad.data.findings import NotJudged
from handgrad.judging.options import rule_names
from handgrad.marks import ATTRIBUTE, Mark

#: Modules that a package is not searched for pairs: they run something, or hold tests.
_LEFT_OUT = re.compile(r"__main__|tests?|test_.*|conftest")


@dataclass(frozen=True)
class Pair:
    """A derivative with its function and its example; called with options, it is judged."""

    name: str
    derivative: Any
    function: Any
    like: Any
    where: str  #: the example's place, for messages
    #: Derivative, function and example as `handgrad check` names them, if they have names.
    named: tuple[str, str, str] | None = None
    options: dict[str, Any] = field(default_factory=dict)  #: its own
    kind: str = "gradient"  #: one of `handgrad.marks.OPTIONS`

    def __call__(self, **options: Any) -> Any:
        """Judge it; raises as the check of its kind, and `BadInput` if there is no example."""
        options = options | self.options | {"kind": self.kind}
        point = example_of(self.like, self.where)
        command = again(*self.named, options) if self.named else ""
        return judged(self.kind, self.derivative, self.function, point, options, command)


def discover(source: str, loader: Loader) -> tuple[dict[str, Any], list[NotJudged]]:
    """Find all checks by their names, and what cannot be judged.

    Modules are imported, and no text of a file is run.

    Args:
        source: FILE.py, package.module, or FILE.py:NAME, a dict or list of checks as
            `handgrad.audit` takes them, or a function that returns it.
        loader: imports them.

    Raises:
        LoadingError: there is no such file or module, or importing it failed.
        BadInput: it is of another form.
    """
    if ":" in source and not Path(source).exists():
        return _held(parse(source, "CHECKS"), loader), []
    module, seen = loader.module(source), set[int]()
    found = [*_of_module(source, module, seen)]
    for name in _below(module):
        try:
            found += _of_module(name, loader.module(name), seen)
        except LoadingError as error:
            why = error.__cause__ or error
            found.append(NotJudged(name, f"{type(why).__name__} when imported: {why}"))
    pairs = {one.name: one for one in found if isinstance(one, Pair)}
    return pairs, [one for one in found if isinstance(one, NotJudged)]


def _held(location: Location, loader: Loader) -> dict[str, Any]:
    """Return the checks that an object in Python holds, or a function returns."""
    from handgrad.auditing import named

    checks = loader.load(location)
    if callable(checks):
        with as_bad_input(loader, {f"{location}": checks}):
            checks = checks()
    return named(checks, str(location))


def _below(module: ModuleType) -> Iterator[str]:
    """Yield the names of a package's modules; a package is imported when its turn comes."""
    for info in pkgutil.iter_modules(getattr(module, "__path__", [])):
        if _LEFT_OUT.fullmatch(info.name):
            continue
        name = f"{module.__name__}.{info.name}"
        yield name
        if info.ispkg and name in sys.modules:
            yield from _below(sys.modules[name])


def _of_module(source: str, module: ModuleType, seen: set[int]) -> Iterator[Pair | NotJudged]:
    for name, value in list(vars(module).items()):
        mark = getattr(value, "__dict__", {}).get(ATTRIBUTE)
        if isinstance(value, type) or not callable(value) or id(value) in seen:
            continue
        if getattr(value, "__module__", None) not in (None, module.__name__):
            continue  # imported from elsewhere
        if isinstance(mark, Mark):
            seen.add(id(value))
            yield _pair(source, module, name, mark, False)
        elif by_name := named(name, module):
            kind, functions = by_name
            if functions[1:]:
                yield ambiguous(kind, functions, name, f"{source}:{name}")
                continue
            seen.add(id(value))
            mark = Mark(getattr(module, functions[0]), None, {}, kind)
            yield _pair(source, module, name, mark, True)


def _pair(
    source: str, module: ModuleType, name: str, mark: Mark, by_name: bool
) -> Pair | NotJudged:
    """Return the derivative of a name as it is marked, or why it cannot be judged."""
    loss = _name_of(mark.loss, module)
    like, example = mark.like, "" if mark.like is None else _name_of(mark.like, module)
    if like is None:
        names = [n for stem in (loss, name) if stem for n in (f"{stem}_example", f"example_{stem}")]
        names += ["example"] if any(name in kind.alone for kind in KINDS.values()) else []
        example = next((n for n in names if hasattr(module, n)), "")
        like = getattr(module, example, None)
    title = f"{source}:{name}"
    if like is None:
        return NotJudged(title, _no_example(loss or name, mark.loss))
    named = (title, loss, example) if loss and example else None
    where = f"{source}:{example}" if example else f"like of {title}"
    kind = mark.kind
    if by_name:
        kind = settled(kind, loss, value_of(mark.loss, like, where), title)
    if isinstance(kind, NotJudged):
        return kind
    options = dict(mark.options)
    if rules := options.get("trust_rules"):  # functions are named in the command
        options["trust_rules"] = tuple(sorted(rule_names(rules)))
    return Pair(title, getattr(module, name), mark.loss, like, where, named, options, kind)


def _name_of(value: Any, module: ModuleType) -> str:
    return next((name for name, other in vars(module).items() if other is value), "")


def _no_example(name: str, loss: Any) -> str:
    """Say that there is no example, and which line would make it one."""
    names = needed(loss) or ["params"]
    arguments = f"{', '.join(names)}{',' * (len(names) == 1)}"
    return f"no example; `def {name}_example(): return ({arguments})` beside it would be one"
