import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from rmn_site.local import paths
from rmn_site.local.servers import Servers, status, stop_unused
from rmn_site.local.testing import start_test_servers
from tenants.core.problems import Conflict
from tests.local.conftest import PROJECT, processes_in, python, wait_until

pytestmark = pytest.mark.processes

USE_SERVERS = """
import sys
from pathlib import Path
from rmn_site.local.servers import Servers
servers = Servers(Path(sys.argv[1]), durable=False)
print("started", servers.start(), flush=True)
sys.stdin.read()
servers.stop()
"""


def test_start_twice_then_stop(home: Path) -> None:
    servers = Servers(home, durable=False)
    assert servers.start() == ["PostgreSQL", "Valkey"]
    assert servers.start() == []
    with psycopg.connect(servers.urls["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept (n int)")
    assert redis.Redis.from_url(servers.urls["REDIS_URL"]).ping()
    assert servers.stop()
    assert status(home) == {"PostgreSQL": None, "Valkey": None}
    assert processes_in(home) == []
    with Servers(home, durable=False), psycopg.connect(servers.urls["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_a_path_with_spaces_and_quotes(home: Path) -> None:
    with Servers(home / 'my $HOME "data" isn\'t', durable=False) as servers:
        assert redis.Redis.from_url(servers.urls["REDIS_URL"]).ping()
        with psycopg.connect(servers.urls["DATABASE_URL"]) as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("off",)


def test_only_tests_run_without_fsync(home: Path) -> None:
    with Servers(home, broker=False) as servers, psycopg.connect(servers.urls["DATABASE_URL"]) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
    assert set(servers.urls) == {"DATABASE_URL"}


def test_nobody_else_can_reach_them(home: Path) -> None:
    with Servers(home, durable=False):
        for folder in (paths.postgres_data(home), paths.valkey_data(home)):
            assert folder.stat().st_mode & 0o077 == 0


def test_two_processes_start_at_once_and_the_last_one_stops(home: Path) -> None:
    with ThreadPoolExecutor() as pool:
        alice, bob = (
            pool.submit(python, USE_SERVERS, str(home), stdin=subprocess.PIPE, stdout=subprocess.PIPE).result()
            for _ in range(2)
        )
        answers = sorted(process.stdout.readline().strip() for process in (alice, bob))
    assert answers == ["started ['PostgreSQL', 'Valkey']", "started []"]
    alice.communicate("")
    assert all(status(home).values())
    assert not stop_unused(home)
    bob.communicate("")
    assert status(home) == {"PostgreSQL": None, "Valkey": None}


def test_a_killed_user_leaves_nothing(home: Path) -> None:
    alice = python(USE_SERVERS, str(home), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert "PostgreSQL" in alice.stdout.readline()
    alice.kill()
    alice.wait()
    wait_until(lambda: processes_in(home) == [])


def test_a_killed_test_run_takes_its_folder_along(home: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rmn_site.local.testing import start_test_servers;"
        "start_test_servers(Path(sys.argv[1])); print('up', flush=True); sys.stdin.read()"
    )
    folder = home / "run"
    alice = python(code, str(folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert alice.stdout.readline() == "up\n"
    alice.kill()
    alice.wait()
    wait_until(lambda: processes_in(home) == [] and not folder.exists())


def test_recovers_after_the_server_is_killed(home: Path) -> None:
    with Servers(home) as servers:
        with psycopg.connect(servers.urls["DATABASE_URL"], autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
        pid = status(home)["PostgreSQL"]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: status(home)["PostgreSQL"] is None)
        assert servers.start() == ["PostgreSQL"]
        with psycopg.connect(servers.urls["DATABASE_URL"]) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (42,)


def test_a_stale_pid_file_that_names_another_process(home: Path) -> None:
    with Servers(home, durable=False, broker=False):
        postmaster = (paths.postgres_data(home) / "postmaster.pid").read_text()
    stranger = psutil.Process().parent()
    lines = [str(stranger.pid), *postmaster.splitlines()[1:]]
    (paths.postgres_data(home) / "postmaster.pid").write_text("\n".join(lines) + "\n")
    assert status(home)["PostgreSQL"] is None
    with Servers(home, durable=False, broker=False):
        assert status(home)["PostgreSQL"] not in (None, stranger.pid)
    assert stranger.is_running()


def test_data_of_another_major_version(home: Path) -> None:
    with Servers(home, durable=False, broker=False):
        pass
    (paths.postgres_data(home) / "PG_VERSION").write_text("17\n")
    with pytest.raises(Conflict, match=r"PostgreSQL 17.*installed 18.*reset-demo"):
        Servers(home, durable=False, broker=False).start()
    assert processes_in(home) == []


def test_an_interrupted_initdb_is_done_again(home: Path) -> None:
    paths.prepare_home(home)
    (home / "pgdata.unfinished").mkdir()
    (home / "pgdata.unfinished" / "PG_VERSION").write_text("18\n")
    with Servers(home, durable=False, broker=False) as servers, psycopg.connect(servers.urls["DATABASE_URL"]):
        assert not (home / "pgdata.unfinished").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_as_an_ordinary_user(home: Path) -> None:
    interpreter = next(
        (
            p
            for p in (Path(sys.executable).resolve(), Path("/usr/bin/python3"), Path("/usr/bin/python3.11"))
            if p.exists()
            and paths.parents_traversable(p.resolve())
            and subprocess.check_output([p, "-c", "import sys; print(sys.version_info[:2])"], text=True).strip()
            == str(sys.version_info[:2])
        ),
        None,
    )
    packages = Path(psutil.__file__).parents[1]
    if interpreter is None or not paths.parents_traversable(packages):
        pytest.skip("no Python of this version and its packages are open to other users")
    folder = home / "theirs"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    result = subprocess.run(
        [interpreter, "-c", USE_SERVERS, folder / "home"],
        env={"PYTHONPATH": f"{PROJECT}:{packages}", "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=PROJECT,
        input="",
        capture_output=True,
        text=True,
        check=False,
        user=65534,
        group=65534,
        extra_groups=[],
    )
    assert result.stdout == "started ['PostgreSQL', 'Valkey']\n", result.stderr
    assert result.returncode == 0
    assert paths.postgres_data(folder / "home").stat().st_uid == 65534


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")
def test_root_copies_programs_that_nobody_cannot_reach(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rmn_site.local.binaries.parents_traversable", lambda path: False)
    with Servers(home, durable=False, broker=False) as servers, psycopg.connect(servers.urls["DATABASE_URL"]):
        program = Path(psutil.Process(status(home)["PostgreSQL"]).exe())
        assert home / "runtime" in program.parents
        assert psutil.Process(status(home)["PostgreSQL"]).username() == "nobody"


def test_test_servers_are_gone_after_stop() -> None:
    servers = start_test_servers()
    assert redis.Redis.from_url(servers.redis_url).ping()
    servers.stop()
    assert not servers.home.exists()
