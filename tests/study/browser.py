"""A page in Chromium, as its reader has it, watched for everything that it must not do."""

import os
from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    ViewportSize,
    WebError,
)
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from study import chromium

# What a test waits for comes within milliseconds, or never; a loaded machine may be that slow.
PATIENCE_MS = 15_000

DESKTOP = (1280, 800)
PHONE = (390, 844)

#: So low that what is read begins out of sight. Where the bar at the top hides all of a window, as
#: in one of 80 pixels, Chromium draws one frame in a second.
LOW = (390, 90)


def required() -> str:
    """The path of Chromium; a test that asks for it is skipped where there is none.

    With HANDGRAD_BROWSER=required in the environment, as in CI, it fails.
    """
    if path := chromium.executable():
        return path
    if os.environ.get("HANDGRAD_BROWSER") == "required":
        pytest.fail(chromium.MISSING, pytrace=False)
    pytest.skip(chromium.MISSING)


#: Goes to another address as a link does. What was left behind is let go: focus, place, and what
#: the page would write into its address in a moment.
_GO = """(fragment) => {
  document.activeElement.blur();
  for (const of of [window, document.getElementById("stage")]) of.scrollTo(0, 0);
  clearTimeout(modules["main.js"].store.waiting);
  history.replaceState(null, "", `#${fragment}`);
  dispatchEvent(new HashChangeEvent("hashchange"));
}"""

#: The tests rule time in a page. `settle()` does at once what the page has put off, until nothing
#: is left to do: in two frames pictures learn whether they are in view, and draw what is new.
#: Intervals pass by `tick()` alone.
_TIME = """(() => {
  const [later, never, frame] = [setTimeout, clearTimeout, requestAnimationFrame];
  const [waiting, repeated] = [new Map(), new Map()];
  window.setTimeout = (act, ...rest) => {
    const id = later(() => waiting.delete(id) && act(), ...rest);
    waiting.set(id, act);
    return id;
  };
  window.clearTimeout = (id) => {
    waiting.delete(id);
    never(id);
  };
  window.setInterval = (act) => {
    repeated.set(act, act);
    return act;
  };
  window.clearInterval = (act) => repeated.delete(act);
  window.tick = () => [...repeated.values()].forEach((act) => act());
  window.settle = async () => {
    for (let isBusy = true; isBusy; ) {
      for (let k = 0; k < 2; k += 1) await new Promise((done) => frame(() => later(done, 0)));
      isBusy = waiting.size > 0;
      for (const [id, act] of [...waiting]) {
        if (!waiting.has(id)) continue;
        clearTimeout(id);
        try {
          act();
        } catch (error) {
          reportError(error);
        }
      }
    }
    return true;
  };
})()"""


def settle(page: Page) -> None:
    """Wait until the page has nothing left to do: what it shows now stays."""
    page.wait_for_function("() => settle()")


def choose(page: Page, **choice: Any) -> None:
    """Change the state of the page, as its controls do, and wait until all of it follows."""
    page.evaluate("(choice) => modules['main.js'].store.set(choice)", choice)
    settle(page)


def state(page: Page) -> dict[str, Any]:
    """What is chosen."""
    return page.evaluate("modules['main.js'].store.state")


def given(page: Page) -> dict[str, float]:
    """The parameters, inputs and targets of the page's point."""
    return page.evaluate("modules['main.js'].store.point.given")


def follow(page: Page, fragment: str) -> None:
    """Follow a link to another address of the page."""
    page.evaluate("(fragment) => { location.hash = fragment; }", fragment)
    settle(page)


class Pages:
    """Opens pages offline; `finish` and `close` raise what the pages did that they must not.

    That is: a request for anything but the page itself, an error or a warning on the console, which
    is also how Chromium reports what a content security policy blocked, and an exception or a
    rejected promise that nobody caught; or that it hangs.
    """

    def __init__(self, browser: Browser) -> None:
        self._faults: list[str] = []
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._used: list[BrowserContext] = []
        self._shared: dict[Path, Page] = {}

    def at(
        self,
        path: Path,
        fragment: str = "",
        *,
        size: tuple[int, int] = DESKTOP,
        dark: bool = False,
        still: bool = False,
        usual: str = "",
    ) -> Page:
        """The one page of this file that tests share, gone to an address.

        That takes a tenth of what loading takes. All that an address says is as it says, and
        nothing has the focus; a test of how a page begins, or of what it remembers, opens its own.
        What an address does not say is as in `usual`.
        """
        said = {part.partition("=")[0] for part in fragment.split("&")}
        missing = [part for part in usual.split("&") if part.partition("=")[0] not in said]
        fragment = "&".join(filter(None, [*missing, fragment]))
        if path not in self._shared:
            self._shared[path] = self.open(path, fragment, size=size, dark=dark, still=still)
            settle(self._shared[path])
            return self._shared[path]
        shared = self._shared[path]
        self._used.append(shared.context)
        shared.set_viewport_size(ViewportSize(width=size[0], height=size[1]))
        shared.emulate_media(
            media="screen",
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if still else "no-preference",
        )
        shared.mouse.move(0, 0)
        shared.evaluate(_GO, fragment)
        settle(shared)
        return shared

    def open(
        self,
        path: Path,
        fragment: str = "",
        *,
        size: tuple[int, int] = DESKTOP,
        dark: bool = False,
        still: bool = False,
    ) -> Page:
        """A page in a window of its own, with nothing stored.

        Args:
            path: of the file.
            fragment: of its address, behind the #.
            size: width and height of the viewport, in CSS pixels.
            dark: whether the reader prefers dark colours.
            still: whether the reader prefers reduced motion.
        """
        opened = self._browser.new_context(
            offline=True,
            viewport=ViewportSize(width=size[0], height=size[1]),
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if still else "no-preference",
        )
        self._contexts.append(opened)
        self._used.append(opened)
        opened.set_default_timeout(PATIENCE_MS)
        opened.add_init_script(_TIME)
        address = path.resolve().as_uri()
        self._watch(opened, address)
        page = opened.new_page()
        page.goto(f"{address}#{fragment}" if fragment else address)
        return page

    def finish(self) -> None:
        """Close all pages but those that are shared; raises AssertionError if there were faults.

        After a fault the shared ones are closed, too: the next test begins with new ones.
        """
        for page in {page for context in self._used for page in context.pages}:
            self._settle(page)
        faults, self._faults = self._faults, []
        kept = [] if faults else [page.context for page in self._shared.values()]
        for context in self._contexts:
            if context not in kept:
                context.close()
        self._contexts = [context for context in self._contexts if context in kept]
        self._used.clear()
        self._shared = {path: of for path, of in self._shared.items() if of.context in kept}
        assert not faults, "\n".join(["a page did what it must not:", *faults])

    def close(self) -> None:
        """Close all pages; raises AssertionError if there were faults."""
        self._shared.clear()
        self.finish()

    def _watch(self, context: BrowserContext, address: str) -> None:
        def asked(url: str) -> None:
            if url.partition("#")[0] != address:
                self._faults.append(f"request: {url}")

        def said(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning", "assert"}:
                self._faults.append(f"console {message.type}: {message.text}")

        def threw(error: WebError) -> None:
            self._faults.append(f"uncaught: {error.error}")

        context.on("request", lambda request: asked(request.url))
        context.on("page", lambda page: page.on("websocket", lambda socket: asked(socket.url)))
        context.on("console", said)
        context.on("weberror", threw)

    def _settle(self, page: Page) -> None:
        """Let the page do what it has put off, so that its faults are still seen."""
        try:
            settle(page)
        except PlaywrightTimeoutError:
            self._faults.append("hangs: no frame comes any more")


def into_view(place: Locator) -> None:
    """Scroll to a place, and wait until its pictures have drawn what is new."""
    place.scroll_into_view_if_needed()
    settle(place.page)


def axe(page: Page, part: str = "html", *, contrast: bool = True) -> list[str]:
    """What axe-core finds wrong with the accessibility of a page as it is now; empty if nothing.

    A colour in the midst of a transition counts as it is: open the page with `still=True`.

    Args:
        page: to look at.
        part: of it, a selector; what concerns a page as a whole is looked at in a whole one.
        contrast: whether colours are looked at, which takes most of the time.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe_source())
    options = {
        "resultTypes": ["violations"],
        "preload": False,
        "rules": {"target-size": {"enabled": True}, "color-contrast": {"enabled": contrast}},
    }
    run = "([part, options]) => axe.run(part, options).then((found) => found.violations)"
    violations = page.evaluate(run, [part, options])
    return [_in_words(violation) for violation in violations]


def _in_words(violation: dict[str, Any]) -> str:
    lines = [f"{violation['id']} ({violation['impact']}): {violation['help']}"]
    for node in violation["nodes"]:
        lines.append(f"  {' '.join(map(str, node['target']))}")
        lines += [f"    {line.strip()}" for line in node["failureSummary"].splitlines()]
    return "\n".join(lines)


@cache
def _axe_source() -> str:
    return (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


#: Goes to an address of one page: `Pages.at` without its path.
At = Callable[..., Page]
