"""The page's modules of JavaScript as one script: a page from disk cannot load any from beside it.

Modules import by name, `import { run } from "./mathematics.js";`, and export functions, classes and
constants where they are declared. Each becomes a function of its own, so that no name of one module
is seen by another that does not import it.
"""

import posixpath
import re
from pathlib import Path

_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"(\.[^"]+)";\n', re.MULTILINE)
_EXPORTED = re.compile(r"^export (?:async )?(?:function\*?|class|const) (\w+)", re.MULTILINE)
_COMMENT = re.compile(r"(?:^|\s)//.*")
_UNKNOWN = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


class BundleError(ValueError):
    """Modules that cannot be put together: says which line of which module, and why."""


def bundle(folder: Path, entry: str) -> str:
    """One script that runs the module `entry`, and before it all that it imports.

    Afterwards `modules` has what each module exports, by its path in the folder.

    Raises:
        BundleError: a module imports one that is missing, or that imports it, or what that one does
            not export, or what it does not use; or imports or exports in another form.
    """
    order: dict[str, str] = {}
    _add(folder, entry, order, ())
    return '"use strict";\nconst modules = {};\n' + "".join(order.values())


def _add(folder: Path, name: str, order: dict[str, str], importers: tuple[str, ...]) -> None:
    """A module after what it imports."""
    if name in importers:
        raise BundleError(f"{name}: {' imports '.join((*importers, name))}; expected no circle")
    if name in order:
        return
    path = folder / name
    if not path.is_file():
        raise BundleError(f"{importers[-1] if importers else folder}: there is no module {name}")
    source = path.read_text(encoding="utf-8")
    imported = [
        (names, posixpath.normpath(posixpath.join(posixpath.dirname(name), other)))
        for names, other in _IMPORT.findall(source)
    ]
    for names, other in imported:
        _add(folder, other, order, (*importers, name))
        exported = _EXPORTED.findall((folder / other).read_text(encoding="utf-8"))
        wanted = {of.strip().partition(" as ")[0] for of in names.split(",")} - {""}
        if missing := wanted.difference(exported):
            raise BundleError(f"{name}: {other} does not export {', '.join(sorted(missing))}")
        if unused := _unused(names, _COMMENT.sub("", _IMPORT.sub("", source))):
            raise BundleError(f"{name}: imports {', '.join(unused)} from {other}, unused")
    order[name] = _wrapped(name, source, imported)


def _unused(names: str, body: str) -> list[str]:
    """Those of the imported names that stand nowhere in the module."""
    called = [of.strip().rpartition(" as ")[2] for of in names.split(",") if of.strip()]
    return [of for of in called if not re.search(rf"(?<![\w$]){re.escape(of)}(?![\w$])", body)]


def _wrapped(name: str, source: str, imported: list[tuple[str, str]]) -> str:
    exported = ", ".join(_EXPORTED.findall(source))
    # What is exported without one name, { a, b } say, stays as it is, and is unknown.
    body = _EXPORTED.sub(lambda found: found.group().removeprefix("export "), source)
    body = _IMPORT.sub("", body)
    if unknown := _UNKNOWN.search(body):
        raise BundleError(
            f'{name}: {unknown.group()!r}; expected import {{ name }} from "./module.js";, and '
            "export before a function, a class or a constant"
        )
    uses = "".join(
        f'const {{{names.replace(" as ", ": ")}}} = modules["{other}"];\n'
        for names, other in imported
    )
    return f'modules["{name}"] = (() => {{\n{uses}{body}return {{ {exported} }};\n}})();\n'
