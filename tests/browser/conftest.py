"""A running site with real commits, a worker beside it, and a Chromium that reports every fault of a page."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.cache import cache
from django.db import connection, connections
from django.test.testcases import LiveServerThread

from accounts.core.permissions import Role
from demo.core.exports import write_sample_exports
from jobs.draining import run_queued_jobs
from tenants.models import Tenant
from tests.database import copied_database, ensure_template, use_database
from tests.factories import PASSWORD, BrandFactory, person

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip


@contextmanager
def acme() -> Iterator[None]:
    """Inside the tenant of the site, as the server is that answers for it."""
    connection.set_tenant(Tenant.objects.get(schema_name="acme"))
    try:
        yield
    finally:
        connection.set_schema_to_public()


class Worker(threading.Thread):
    """Runs what is queued, as a worker would, until told to stop."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.stopping = threading.Event()
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            while not self.stopping.wait(0.2):
                run_queued_jobs()
        except Exception as error:  # noqa: BLE001  reported by the fixture: a thread's own end is silent
            self.failure = error
        finally:
            connections.close_all()


@pytest.fixture(scope="module")
def site(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[SimpleNamespace]:
    """acme with alice, its owner, and an empty house; yields `url`, `exports` (folder) and `truth`."""
    from django.conf import settings

    usual = connection.settings_dict["NAME"]
    before = settings.STORAGE_ROOT
    exports = tmp_path_factory.mktemp("exports")
    write_sample_exports(exports, seed=5, profile="birch")
    with django_db_blocker.unblock():
        ensure_template()
        with copied_database("rmn_browser") as name:
            use_database(name)
            settings.STORAGE_ROOT = tmp_path_factory.mktemp("storage")
            cache.clear()
            with acme():
                alice = person("alice", Role.OWNER)
                viewer = person("victor", Role.VIEWER, brand=BrandFactory(slug="nobody"))
            server = LiveServerThread("127.0.0.1", StaticFilesHandler, connections_override={})
            server.daemon = True
            server.start()
            server.is_ready.wait()
            if server.error:
                raise server.error
            worker = Worker()
            worker.start()
            try:
                yield SimpleNamespace(
                    url=f"http://acme.localhost:{server.port}",
                    exports=exports,
                    truth=json.loads((exports / "truth.json").read_text()),
                    alice=alice,
                    viewer=viewer,
                    password=PASSWORD,
                )
            finally:
                worker.stopping.set()
                worker.join(60)
                server.terminate()
                connections.close_all()
                connection.close_pool()
                settings.STORAGE_ROOT = before
                use_database(usual)
    assert worker.failure is None, worker.failure


@pytest.fixture(scope="module")
def chromium_browser(chromium: str) -> Iterator[Any]:
    """A Chromium of the system, for one module: its driver holds this thread's event loop as long as it lives."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    # Django takes that event loop for asynchronous code.
    patch = pytest.MonkeyPatch()
    patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()
    patch.undo()


class Watched:
    """A page whose console errors, failed requests, policy violations and sideways scrolling are faults."""

    def __init__(self, browser: Any, *, width: int = 1280, dark: bool = False) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light"
        )
        self.page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.add_init_script(
            "document.addEventListener('securitypolicyviolation', e => console.error('CSP ' + e.violatedDirective));"
        )
        if dark:
            self.page.add_init_script("localStorage.setItem('tabler-theme', 'dark')")

    def _console(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(f"{message.type}: {message.text}")

    def sign_in(self, site: SimpleNamespace, user: Any) -> None:
        self.page.goto(f"{site.url}/accounts/login/")
        self.page.fill("input[name=login]", user.email)
        self.page.fill("input[name=password]", site.password)
        self.page.click("button:has-text('Sign in')")
        self.page.wait_for_url(re.compile(r"localhost:\d+/$"))

    def check(self) -> None:
        """No fault so far, and nothing wider than the window."""
        wider = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, f"{self.page.url} is {wider} px wider than the window"
        assert self.faults == [], self.page.url

    def close(self) -> None:
        self.context.close()


@pytest.fixture
def watched(chromium_browser: Any) -> Iterator[Any]:
    """`watched(width=390, dark=True)`: a page under watch."""
    opened: list[Watched] = []

    def _open(**options: Any) -> Watched:
        opened.append(Watched(chromium_browser, **options))
        return opened[-1]

    yield _open
    for one in opened:
        one.close()


@pytest.fixture
def signed_in(site: SimpleNamespace, watched: Any) -> Any:
    """`signed_in(width=390, dark=True)`: a page under watch where alice, or `user`, has signed in."""

    def _open(user: Any = None, **options: Any) -> Watched:
        page: Watched = watched(**options)
        page.sign_in(site, user or site.alice)
        return page

    return _open
