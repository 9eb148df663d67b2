"""A real Chromium without a window, for tests of what people see.

``browser_page`` is a fresh page; ``watch(page)`` notes what goes wrong in it and what it asks the network for.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Watched:
    """What happened in a page since it is watched."""

    errors: list[str] = field(default_factory=list)  # on the console, uncaught, and dialogues that opened
    requests: list[str] = field(default_factory=list)  # addresses asked for, embedded data: left out


def watch(page: "Page") -> Watched:
    """Begin to note errors and requests of ``page``; call it before ``page.goto``."""
    seen = Watched()

    def dialogue(box) -> None:
        seen.errors.append(f"{box.type}: {box.message}")
        box.dismiss()

    page.on("console", lambda line: seen.errors.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("dialog", dialogue)
    page.on("request", lambda asked: None if asked.url.startswith("data:") else seen.requests.append(asked.url))
    return seen


def find_chromium() -> str | None:
    """The path of the system's Chromium."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def absent(reason: str) -> None:
    """Skip the test, or fail it where a change is decided on."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, and CI=true says that tests in a browser have to run")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A Chromium for the tests of one file: its event loop must not run on while others use their own."""
    path = find_chromium()
    if path is None:
        absent(f"no Chromium found (looked for {', '.join(NAMES)})")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        absent("playwright is not installed (pip install 'convexp[dev]')")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, headless=True, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def browser_page(browser: "Browser") -> Iterator["Page"]:
    """An empty page with a profile of its own, 1280 x 900."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()
