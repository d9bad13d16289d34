"""A real browser."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from pages import OpenPage, opening_pages

# Debian's, and what other systems call theirs.
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


# Of a module and not of all tests: as long as it is there, no asyncio runs.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        absent = f"none of {', '.join(CHROMIUM)} is installed; install chromium by apt"
        needed = os.environ.get("REELBOW_NEEDS_BROWSER")
        (pytest.fail if needed else pytest.skip)(absent)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser) -> Iterator[OpenPage]:
    """Open pages; the test fails if one of them does what it must not."""
    with opening_pages(browser) as opening:
        yield opening
