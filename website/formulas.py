"""The formulas of the documents, in GitHub's form, as MathML: an extension of Python-Markdown."""

import re
from typing import Any
from xml.etree import ElementTree

from markdown import Extension, Markdown
from markdown.inlinepatterns import InlineProcessor

from study.formulas import mathml


class _Inline(InlineProcessor):
    """Replaces $`x`$ by a formula."""

    def handleMatch(  # noqa: N802 (its name in Python-Markdown)
        self,
        m: re.Match[str],
        data: str,  # noqa: ARG002 (so it is called)
    ) -> tuple[ElementTree.Element | str | None, int | None, int | None]:
        return self.md.htmlStash.store(mathml(m.group(1))), m.start(0), m.end(0)


class Formulas(Extension):
    """Formulas within lines."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (its name in Python-Markdown)
        """Look for formulas before code, whose backticks they have."""
        md.inlinePatterns.register(_Inline(r"\$`([^`]+)`\$", md), "formula", 195)


def makeExtension(**options: Any) -> Formulas:  # noqa: N802 (its name in Python-Markdown)
    """Return the extension, as Python-Markdown asks for it."""
    return Formulas(**options)


def block(source: str, *_: Any, **_options: Any) -> str:
    """Return a block of `math` as a formula of its own, in the form that superfences calls."""
    return f'<div class="formula">{mathml(source.strip(), "block")}</div>'
