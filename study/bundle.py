"""Bundle the page's JavaScript modules into one script, as a page from disk cannot load modules.

Modules import by name, `import { run } from "./mathematics.js";`, and export functions, classes and
constants where they are declared. Each becomes a function, so names stay private to a module unless
imported.
"""

import posixpath
import re
from pathlib import Path

_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"(\.[^"]+)";\n', re.MULTILINE)
_EXPORTED = re.compile(r"^export (?:async )?(?:function\*?|class|const) (\w+)", re.MULTILINE)
_COMMENT = re.compile(r"(?:^|\s)//.*")
_UNKNOWN = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


class BundleError(ValueError):
    """Modules that cannot be bundled; the message names the module and the reason."""


def bundle(folder: Path, entry: str) -> str:
    """Return one script that runs the module `entry` after all that it imports.

    Its object `modules` has the exports of each module, by its path in the folder.

    Raises:
        BundleError: a module imports a missing one, imports in a circle, imports a name that is not
            exported or not used, or imports or exports in another form.
    """
    order: dict[str, str] = {}
    _add(folder, entry, order, ())
    return '"use strict";\nconst modules = {};\n' + "".join(order.values())


def _add(folder: Path, name: str, order: dict[str, str], importers: tuple[str, ...]) -> None:
    """Add a module after its imports."""
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
    """Return the imported names that the module does not use."""
    called = [of.strip().rpartition(" as ")[2] for of in names.split(",") if of.strip()]
    return [of for of in called if not re.search(rf"(?<![\w$]){re.escape(of)}(?![\w$])", body)]


def _wrapped(name: str, source: str, imported: list[tuple[str, str]]) -> str:
    exported = ", ".join(_EXPORTED.findall(source))
    # Other forms of export, { a, b } say, are left and then refused as unknown.
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
