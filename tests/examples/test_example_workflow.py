"""The example as its reader runs it: a process of its own, against a server, with jobs run beside it."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test import Client

from accounts.core.permissions import Role
from accounts.models import ApiToken
from jobs.draining import run_queued_jobs
from rmn_site.wsgi import application
from tenants.models import Tenant
from tests import factories

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def served() -> Iterator[str]:
    """The address of a server in this process."""
    with make_server("127.0.0.1", 0, application, Server, QuietHandler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def drained() -> Iterator[None]:
    """Jobs are run as they come, in a thread."""
    stopped = threading.Event()

    def drain() -> None:
        try:
            while not stopped.wait(0.1):
                run_queued_jobs()
        finally:
            connections.close_all()

    thread = threading.Thread(target=drain, daemon=True)
    thread.start()
    yield
    stopped.set()
    thread.join()


def token_of(email: str, *arguments: str) -> str:
    out = StringIO()
    call_command(
        "create_token", "--tenant", "acme", "--email", email, "--name", "example", *arguments, stdout=out
    )  # fmt: skip
    return out.getvalue().strip()


def run_example(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "RMN_TEST_DATABASE"}
    return subprocess.run(
        [sys.executable, "examples/example_workflow.py", *arguments],
        cwd=ROOT,
        env=inherited | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.mark.processes
def test_from_exports_to_a_budget(
    real_database: str, storage: Path, served: str, drained: None, tmp_path: Path
) -> None:
    connection.set_tenant(Tenant.objects.get(schema_name="acme"))
    alice = factories.person("alice", Role.OWNER)
    token, out = token_of(alice.email), tmp_path / "lines.csv"
    done = run_example("--url", served, "--scale", "0.2", "--out", str(out), API_TOKEN=token)
    assert done.returncode == 0, done.stdout + done.stderr
    for told in ("1. I am alice", "3. Catalogue: ", "in quarantine", "walmart_connect", "6. ", ": solved."):
        assert told in done.stdout
    lines = [line for line in csv.DictReader(StringIO(out.read_text("utf-8-sig"))) if line["Row"] == "line"]
    assert lines
    assert all(line["Why"] for line in lines)
    assert "lines.csv" in done.stdout


@pytest.mark.processes
def test_refusal_is_told_in_full(real_database: str, storage: Path, served: str) -> None:
    done = run_example("--url", served, API_TOKEN="rmn_" + "0" * 64)
    assert done.returncode == 1
    assert "This is not a token of this tenant. Log in, or send a token of this tenant." in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_answers() -> None:
    done = run_example("--url", "http://127.0.0.1:1", API_TOKEN="rmn_none")
    assert done.returncode == 1
    assert "Nothing answers at http://127.0.0.1:1. Start it with `make demo`" in done.stderr


def test_token_is_needed() -> None:
    done = run_example(API_TOKEN="")
    assert done.returncode == 2
    assert "set API_TOKEN" in done.stderr


def test_token_of_the_command_opens_the_api(alice, fresh_cache: None) -> None:
    token = token_of(alice.email, "--days", "1")
    headers = {"HTTP_HOST": "acme.localhost", "HTTP_AUTHORIZATION": f"Token {token}"}
    assert Client().get("/api/v1/me", **headers).json()["user"]["email"] == alice.email
    with pytest.raises(CommandError, match="token called 'example'"):
        token_of(alice.email)
    assert token_of(alice.email, "--replace") != token
    assert Client().get("/api/v1/me", **headers).status_code == 401
    assert ApiToken.objects.filter(user=alice).count() == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--email", "eve@example.com"), "Nobody at .* can log in as eve@example.com"),
        (("--days", "400"), "1 to 366 days, not 400"),
        (("--tenant", "nowhere"), "no tenant 'nowhere'"),
    ],
)
def test_token_command_names_what_is_wrong(alice, arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        token_of(alice.email, *arguments)
