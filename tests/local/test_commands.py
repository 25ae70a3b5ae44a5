import os
import subprocess
import sys
from pathlib import Path

import pytest

from rmn_site.local import paths
from rmn_site.local.runfile import Run, RunFile
from rmn_site.local.servers import Servers, status
from tests.local.conftest import PROJECT, processes_in
from tests.local.test_supervisor import Platform

pytestmark = pytest.mark.processes


def local(home: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """`python -m rmn_site.local ...` on this data home, with no servers of somebody else."""
    clean = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    return subprocess.run(
        [sys.executable, "-m", "rmn_site.local", *arguments],
        cwd=PROJECT,
        env=clean | {"RMN_DATA_HOME": str(home)} | environ,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_stop_stops_the_demo_of_this_folder(home: Path) -> None:
    platform = Platform(home)
    platform.read_until("Ready after")
    assert f"demo, process {platform.process.pid}, at http://localhost:{platform.port}/" in local(home, "status").stdout
    result = local(home, "stop")
    assert result.returncode == 0
    assert result.stdout.endswith("Stopped.\n")
    assert platform.process.wait(10) == 0
    assert platform.left_over() == []


def test_a_second_demo_says_where_the_first_one_is(home: Path) -> None:
    platform = Platform(home)
    platform.read_until("Ready after")
    second = local(home, "demo")
    assert second.returncode == 0
    assert f"Already running (process {platform.process.pid}) at http://localhost:{platform.port}/" in second.stdout
    other = local(home, "serve")
    assert other.returncode == 1
    assert "Run `make stop` first, then `make serve`." in other.stdout
    platform.end()


def test_stop_with_nothing_to_stop(home: Path) -> None:
    assert local(home, "stop").stdout == "Nothing is running.\n"
    assert local(home / "absent", "stop").stdout == "Nothing is running.\n"
    assert not (home / "absent").exists()
    assert local(home, "status").returncode == 3


def test_stop_never_touches_a_process_that_only_has_the_number(home: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    runfile = RunFile(home)
    assert runfile.claim(Run(bystander.pid, "demo"))
    try:
        local(home, "stop")  # the lock is held, but the number is another program's
        runfile._lock.release()
        local(home, "stop")  # the file is stale
        assert bystander.poll() is None
    finally:
        bystander.communicate()


def test_stop_ends_servers_that_nobody_uses(home: Path) -> None:
    servers = Servers(home, durable=False, broker=False)
    servers.start()
    assert "Still used by another process" in local(home, "stop").stdout
    assert status(home)["PostgreSQL"]
    servers.stop()
    assert status(home)["PostgreSQL"] is None


def test_a_command_beside_the_servers(home: Path) -> None:
    code = "import os, psycopg; print(psycopg.connect(os.environ['DATABASE_URL']).execute('SELECT 40 + 2').fetchone())"
    result = local(home, "with", sys.executable, "-c", code)
    assert result.stdout == "(42,)\n", result.stderr
    assert local(home, "with", sys.executable, "-c", "raise SystemExit(7)").returncode == 7
    assert processes_in(home) == []


def test_reset_deletes_only_what_it_made(home: Path) -> None:
    ours = home / "ours"
    paths.prepare_home(ours)
    (ours / "storage").mkdir()
    assert "DATABASE_URL is set" in local(ours, "reset", DATABASE_URL="postgresql://db.example/rmn").stdout
    assert ours.exists()
    assert local(ours, "reset").stdout.endswith(f"Deleted {ours}.\n")
    assert not ours.exists()
    theirs = home / "theirs"
    theirs.mkdir()
    assert local(theirs, "reset").returncode == 1
    assert theirs.exists()


def test_a_port_that_is_none(home: Path) -> None:
    result = local(home, "serve", RMN_PORT="http")
    assert result.returncode == 1
    assert "RMN_PORT: 'http' is no port number." in result.stdout


def test_production_is_not_served_from_embedded_servers(home: Path) -> None:
    result = local(home, "serve", RMN_ENV="production", REDIS_URL="redis://cache.example")
    assert result.returncode == 1
    assert "Set DATABASE_URL and REDIS_URL" in result.stdout
    assert not paths.postgres_data(home).exists()
