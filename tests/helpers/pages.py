"""Pages in a real browser that may load nothing and have nothing to complain of."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, BrowserContext, Page

OpenPage = Callable[..., Page]


@contextlib.contextmanager
def opening_pages(browser: Browser) -> Iterator[OpenPage]:
    """Open pages from disk, as a double click does.

    Whoever opened one that says a word in its console, fails, or asks for what lies
    elsewhere, hears of it at the end, by an `AssertionError`.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def look_at(url: str, folder: Path) -> None:
        parts = urlsplit(url)
        path = Path(unquote(parts.path))
        is_beside = parts.scheme == "file" and path.is_relative_to(folder)
        if parts.scheme not in ("data", "blob") and not is_beside:
            faults.append(f"asks for {url}")

    def open_page(
        path: Path,
        state: str = "",
        *,
        width: int = 1280,
        height: int = 800,
        root: Path | None = None,
        **more: Any,
    ) -> Page:
        """Open a page.

        state : what follows # in the address
        width, height : of the window, in CSS pixels
        root : the folder of all that it may load or lead to; None: its own
        more : of the context, such as color_scheme="dark" or has_touch=True
        """
        folder = (root or path.parent).resolve()
        context = browser.new_context(
            viewport={"width": width, "height": height}, **more
        )
        contexts.append(context)
        context.set_default_timeout(10_000)
        context.on("request", lambda request: look_at(request.url, folder))
        context.on("console", lambda said: faults.append(f"says {said.text}"))
        context.on("weberror", lambda failed: faults.append(f"fails: {failed.error}"))
        page = context.new_page()
        page.goto(path.resolve().as_uri() + (f"#{state}" if state else ""))
        return page

    try:
        yield open_page
    finally:
        for context in contexts:
            context.close()
    assert not faults, faults
