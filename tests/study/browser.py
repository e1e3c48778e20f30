"""A page in Chromium, as its reader has it, watched for everything that it must not do."""

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    ViewportSize,
    WebError,
)
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from study import chromium

# What a test waits for comes within milliseconds, or never; a loaded machine may be that slow.
PATIENCE_MS = 15_000

#: Opens the page at an address.
Opened = Callable[..., Page]

DESKTOP = (1280, 800)
PHONE = (390, 844)


def required() -> str:
    """The path of Chromium; a test that asks for it is skipped where there is none.

    With HANDGRAD_BROWSER=required in the environment, as in CI, it fails.
    """
    if path := chromium.executable():
        return path
    if os.environ.get("HANDGRAD_BROWSER") == "required":
        pytest.fail(chromium.MISSING, pytrace=False)
    pytest.skip(chromium.MISSING)


#: The tests rule time in a page. `settle()` does at once what the page has put off, until nothing
#: is left to do: in two frames pictures learn how large they are, and draw what is new.
_TIME = """(() => {
  const [later, never, frame] = [setTimeout, clearTimeout, requestAnimationFrame];
  const waiting = new Map();
  window.setTimeout = (act, ...rest) => {
    const id = later(() => waiting.delete(id) && act(), ...rest);
    waiting.set(id, act);
    return id;
  };
  window.clearTimeout = (id) => {
    waiting.delete(id);
    never(id);
  };
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


class Pages:
    """Opens pages offline; `close` raises what the pages did that they must not.

    That is: a request for anything but the page itself, an error or a warning on the console, which
    is also how Chromium reports what a content security policy blocked, and an exception or a
    rejected promise that nobody caught; or that it hangs.
    """

    def __init__(self, browser: Browser) -> None:
        self._faults: list[str] = []
        self._browser = browser
        self._contexts: list[BrowserContext] = []

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
        opened.set_default_timeout(PATIENCE_MS)
        opened.add_init_script(_TIME)
        address = path.resolve().as_uri()
        self._watch(opened, address)
        page = opened.new_page()
        page.goto(f"{address}#{fragment}" if fragment else address)
        return page

    def close(self) -> None:
        """Close all pages; raises AssertionError if there were faults."""
        for page in [page for context in self._contexts for page in context.pages]:
            self._settle(page)
        faults, self._faults = self._faults, []
        for context in self._contexts:
            context.close()
        self._contexts.clear()
        assert not faults, "\n".join(["a page did what it must not:", *faults])

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


def drawn(page: Page) -> np.ndarray:
    """The pixels of the picture, (height, width, 3)."""
    image = page.locator(".picture").screenshot()
    return np.asarray(Image.open(BytesIO(image)).convert("RGB"), np.int16)


def changed(before: np.ndarray, after: np.ndarray) -> int:
    """How many pixels of a picture look different."""
    return int((np.abs(before - after).max(axis=2) > 24).sum())


def axe(page: Page) -> str:
    """What axe-core finds wrong with the accessibility of a page as it is now; empty if nothing.

    A colour in the midst of a transition counts as it is: open the page with `still=True`.
    """
    rules = {"target-size": {"enabled": True}}
    options = {"resultTypes": ["violations"], "preload": False, "rules": rules}
    found = Axe().run(page, options=options)
    return found.generate_report() if found.violations_count else ""
