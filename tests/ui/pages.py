"""A loopback server of rendered pages under the product's content policy, for browser tests without a database."""

from __future__ import annotations

import http.server
import mimetypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders

Page = Callable[["Request"], tuple[int, str]]


class Request:
    """What a page may want to know of the request."""

    def __init__(self, method: str, path: str, headers: dict[str, str]) -> None:
        self.method, self.path, self.headers = method, path, headers


def content_policy() -> str:
    """The policy of the settings, as one header."""
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


@contextmanager
def serve(pages: dict[str, Page]) -> Iterator[str]:
    """Serve `{path: page}` and static files on a free loopback port; yields the base address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            path = urlsplit(self.path).path
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if path.startswith(settings.STATIC_URL):
                self.static(path.removeprefix(settings.STATIC_URL))
            elif path in pages:
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, body = pages[path](Request(self.command, self.path, headers))
                self.reply(status, "text/html; charset=utf-8", body.encode())
            else:
                self.reply(404, "text/plain", b"")

        do_GET = do_POST = answer  # noqa: N815

        def static(self, name: str) -> None:
            found = finders.find(name)
            if not found:
                self.reply(404, "text/plain", b"")
                return
            kind = mimetypes.guess_type(str(found))[0] or "application/octet-stream"
            self.reply(200, kind, Path(str(found)).read_bytes())

        def reply(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", content_policy())
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Quiet: failures are asserted on, not read."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
