"""Pages in a real browser, served from memory: no database, the content policy of the settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.ui import gallery, pages

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class Polled:
    """What the fragment of the gallery answers, and what was asked of it."""

    def __init__(self) -> None:
        self.asked = 0
        self.tokens: list[str] = []
        self.answer: Callable[[int], tuple[int, str]] = lambda asked: (200, self.panel(f"Answer {asked}"))

    @staticmethod
    def panel(text: str, attributes: str = "") -> str:
        return f'<section class="card c6" id="live" {attributes}><div class="cb">{text}</div></section>'

    def poll(self, request: pages.Request) -> tuple[int, str]:
        self.asked += 1
        return self.answer(self.asked)

    def write(self, request: pages.Request) -> tuple[int, str]:
        self.tokens.append(request.headers.get("x-csrftoken", ""))
        return 200, "Written"


@pytest.fixture
def polled() -> Polled:
    return Polled()


@pytest.fixture
def site(polled: Polled) -> Iterator[str]:
    """Base address of the gallery and its company."""
    entry = {"frame": gallery.Frame(tenant="Acme Snacks")}
    served: dict[str, pages.Page] = {
        "/gallery": lambda request: (200, gallery.render_gallery(request.path)),
        "/job": lambda request: (200, gallery.render_page("404.html", **entry)),
        "/login": lambda request: (200, gallery.render_login()),
        "/error": lambda request: (200, gallery.render_page("500.html", request_id="req-4711", **entry)),
        "/fragment": polled.poll,
        "/write": polled.write,
    }
    with pages.serve(served) as base:
        yield base


@pytest.fixture(scope="module")
def browser_process(chromium: str) -> Iterator[Any]:
    """One Chromium for a module, and gone after it: its driver holds this thread's event loop as long as it lives."""
    playwright = pytest.importorskip("playwright.sync_api")
    # Playwright runs an event loop in this thread; Django takes that for asynchronous code.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def open_page(browser_process: Any, site: str) -> Iterator[Callable[..., Any]]:
    """`open_page(path, width, scheme)`: a page that is ready; `page.faults` collects what a console would show."""
    contexts = []

    def opened(path: str, width: int = 1280, scheme: str = "light") -> Any:
        context = browser_process.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.faults = []
        page.on("console", lambda line: page.faults.append(line.text) if line.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.goto(site + path)
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield opened
    for context in contexts:
        context.close()
