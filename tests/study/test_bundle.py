"""Modules become one script: in order, each by itself, and what cannot be is refused."""

import re
from pathlib import Path

import pytest

from study.bundle import BundleError, bundle
from tests.study.browser import Pages


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "views").mkdir()
    return tmp_path


def write(folder: Path, **modules: str) -> None:
    """Modules by name; of one in a folder an underscore stands for the slash."""
    for name, source in modules.items():
        (folder / f"{name.replace('_', '/')}.js").write_text(source, encoding="utf-8")


def order(script: str) -> list[str]:
    return re.findall(r'^modules\["(.+)"\] = ', script, re.MULTILINE)


def test_each_module_once_and_after_what_it_imports(folder: Path) -> None:
    """By paths from the module that imports them."""
    write(
        folder,
        main='import { view } from "./views/view.js";\nimport { a } from "./a.js";\nview(a);\n',
        views_view='import { a } from "../a.js";\nimport { b } from "./b.js";\n'
        "export const view = a + b;\n",
        views_b="export const b = 1;\n",
        a="export const a = 1;\n",
    )
    expected = ["a.js", "views/b.js", "views/view.js", "main.js"]
    assert order(bundle(folder, "main.js")) == expected


def test_a_circle_is_refused_with_its_path(folder: Path) -> None:
    write(
        folder,
        main='import { b } from "./b.js";\nexport const a = 1;\n',
        b='import { c } from "./c.js";\nexport const b = 1;\n',
        c='import { a } from "./main.js";\nexport const c = 1;\n',
    )
    path = r"main\.js: main\.js imports b\.js imports c\.js imports main\.js; expected no circle"
    with pytest.raises(BundleError, match=path):
        bundle(folder, "main.js")
    write(folder, main='import { a } from "./main.js";\nexport const a = 1;\n')
    with pytest.raises(BundleError, match=r"main\.js imports main\.js; expected no circle"):
        bundle(folder, "main.js")


def test_a_missing_module_is_named_with_who_imports_it(folder: Path) -> None:
    write(folder, main='import { a } from "./views/a.js";\n')
    with pytest.raises(BundleError, match=r"^main\.js: there is no module views/a\.js$"):
        bundle(folder, "main.js")
    with pytest.raises(BundleError, match=f"^{folder}: there is no module other.js$"):
        bundle(folder, "other.js")


def test_what_is_not_exported_cannot_be_imported(folder: Path) -> None:
    write(
        folder,
        main='import { a, hidden, other as b } from "./a.js";\n',
        a="export const a = 1;\nconst hidden = 2;\n",
    )
    with pytest.raises(BundleError, match=r"^main\.js: a\.js does not export hidden, other$"):
        bundle(folder, "main.js")


def test_what_is_imported_is_used(folder: Path) -> None:
    write(
        folder,
        main='import { a, b as c, d } from "./a.js";\n// c\nconst e = [...d, a, { b: 1 }];\n',
        a="export const a = 1;\nexport const b = 2;\nexport const d = [];\n",
    )
    wrong = r"^main\.js: imports c from a\.js, unused$"
    with pytest.raises(BundleError, match=wrong):
        bundle(folder, "main.js")


@pytest.mark.parametrize(
    "line",
    [
        'import a from "./a.js";',
        'import * as a from "./a.js";',
        'import "./a.js";',
        'import { a } from "a";',
        'import { a } from "./a.js"',
        "export default 1;",
        'export { a } from "./a.js";',
        "export let b = 1;",
    ],
)
def test_other_forms_are_refused(folder: Path, line: str) -> None:
    write(folder, a="export const a = 1;\n", main=f"const a = 1;\n{line}\n")
    with pytest.raises(BundleError) as refusal:
        bundle(folder, "main.js")
    assert str(refusal.value).startswith(f"main.js: {line!r}; expected import {{ name }} from")


MODULES = {
    "main": """import { f, later, it as that } from "./a.js";
import { value } from "./views/b.js";
export const result = [f(), that, value, typeof secret];
later().then((done) => result.push(done));
""",
    "a": """import {
  value,
} from "./views/b.js";
const secret = "a";
export const it = "it";
export function f() {
  return secret + value;
}
export async function later() {
  return "later";
}
""",
    "views_b": 'const secret = "b";\nexport const value = secret;\n',
}


@pytest.mark.slow
def test_it_runs(pages: Pages, folder: Path) -> None:
    """Names of one module are its own; `modules` has what each exports."""
    write(folder, **MODULES)
    page = folder / "page.html"
    script = bundle(folder, "main.js")
    page.write_text(f"<!DOCTYPE html><title>A page</title><script>{script}</script>", "utf-8")
    opened = pages.open(page)
    result = ["ab", "it", "b", "undefined", "later"]
    assert opened.evaluate("modules['main.js'].result") == result
    exports = opened.evaluate(
        "Object.fromEntries(Object.entries(modules).map(([k, of]) => [k, Object.keys(of).sort()]))"
    )
    assert exports == {"views/b.js": ["value"], "a.js": ["f", "it", "later"], "main.js": ["result"]}
