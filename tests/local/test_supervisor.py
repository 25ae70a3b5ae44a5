import http.client
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from rmn_site.local import paths
from rmn_site.local.runfile import RunFile
from rmn_site.local.servers import status
from rmn_site.local.supervisor import free_port
from tenants.core.problems import Unavailable
from tests.local.conftest import PROJECT, processes_in, wait_until

pytestmark = pytest.mark.processes


class Platform:
    """A supervisor in a process of its own, over fake commands."""

    def __init__(self, home: Path, kind: str = "good", *, stdin: int = subprocess.DEVNULL, **environ: str) -> None:
        self.home = home
        self.ends = home / "ends"
        self.port = free_port("127.0.0.1", 18000 + os.getpid() % 10000)
        clean = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        self.process = subprocess.Popen(
            # The last argument is for `RunFile.current`: it believes only processes whose command names the package.
            [sys.executable, "-m", "tests.local.fake_platform", str(home), str(self.port), kind, "rmn_site.local"],
            cwd=PROJECT,
            env=clean | environ | {"ENDS": str(self.ends)},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def read_until(self, text: str) -> str:
        read = ""
        while text not in read:
            line = self.process.stdout.readline()
            assert line, f"ended before {text!r}:\n{read}"
            read += line
        return read

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=60)
        return self.process.returncode, output

    def left_over(self) -> list[psutil.Process]:
        """Descendants know the home from their environment."""
        found = []
        for process in psutil.process_iter():
            try:
                ours = process.environ().get("ENDS") == str(self.ends)
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found + processes_in(self.home)


def test_from_start_to_ctrl_c(home: Path) -> None:
    platform = Platform(home)
    output = platform.read_until("Ctrl-C stops everything")
    assert "Prepare ... " in output
    assert "    one of two\n    two of two\n" in output
    assert f"http://localhost:{platform.port}/" in output
    assert "alice  let me in" in output
    connection = http.client.HTTPConnection("127.0.0.1", platform.port)
    connection.request("GET", "/health")
    assert connection.getresponse().status == 200
    run = RunFile(home).current()
    assert (run.pid, run.mode) == (platform.process.pid, "demo")
    assert run.address == f"http://localhost:{platform.port}/"
    code, output = platform.end(signal.SIGINT)
    assert code == 0
    assert "Stopped after" in output
    assert platform.ends.read_text() == "web\nworker\n"
    assert platform.left_over() == []
    assert status(home) == {"PostgreSQL": None, "Valkey": None}
    assert RunFile(home).current() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_every_polite_signal_stops_everything(home: Path, number: int) -> None:
    platform = Platform(home)
    platform.read_until("Ready after")
    assert platform.end(number)[0] == 0
    assert platform.left_over() == []


def test_a_closed_terminal(home: Path) -> None:
    platform = Platform(home)
    platform.read_until("Ready after")
    platform.process.stdout.close()
    platform.process.send_signal(signal.SIGHUP)
    assert platform.process.wait(30) == 0
    assert platform.left_over() == []


def test_a_closed_terminal_of_which_no_signal_tells(home: Path) -> None:
    master, slave = os.openpty()
    platform = Platform(home, stdin=slave)
    os.close(slave)
    platform.read_until("Ready after")
    os.close(master)
    assert platform.process.wait(30) == 0
    assert platform.left_over() == []


def test_interrupted_in_the_middle_of_a_step(home: Path) -> None:
    platform = Platform(home, "slow-step")
    wait_until(lambda: (paths.logs_folder(home) / "prepare.log").exists())
    assert platform.end()[0] == 0
    assert platform.left_over() == []


def test_interrupted_while_the_servers_start(home: Path) -> None:
    platform = Platform(home)
    wait_until(lambda: (home / "servers.users").exists())
    code, output = platform.end()
    assert code == 0
    assert "Ready" not in output
    assert platform.left_over() == []


def test_supervisor_killed(home: Path) -> None:
    platform = Platform(home)
    platform.read_until("Ready after")
    assert len(platform.left_over()) >= 5
    platform.process.kill()
    wait_until(lambda: platform.left_over() == [], timeout=40)
    assert status(home) == {"PostgreSQL": None, "Valkey": None}


def test_a_step_that_fails_shows_its_last_words(home: Path) -> None:
    platform = Platform(home, "broken-step")
    output, _ = platform.process.communicate(timeout=60)
    assert platform.process.returncode == 1
    assert "failed with exit code 1" in output
    assert "  | no such table" in output
    assert platform.left_over() == []


def test_a_process_that_ends_by_itself_ends_all(home: Path) -> None:
    platform = Platform(home, "dying")
    output, _ = platform.process.communicate(timeout=60)
    assert platform.process.returncode == 1
    assert "worker ended by itself (exit code 7)" in output
    assert "  | out of luck" in output
    assert platform.left_over() == []


def test_a_deaf_process_is_killed_after_its_grace(home: Path) -> None:
    platform = Platform(home, "deaf")
    platform.read_until("Ready after")
    code, output = platform.end()
    assert code == 0
    assert "Killed after their grace period: worker." in output
    assert platform.left_over() == []


def test_servers_of_somebody_else_are_left_alone(home: Path) -> None:
    platform = Platform(home, DATABASE_URL="postgresql://db.example/rmn", REDIS_URL="redis://cache.example")
    output = platform.read_until("Ready after")
    assert "Servers: none of our own" in output
    assert not paths.postgres_data(home).exists()
    worker = next(p for p in platform.left_over() if "worker is up" in "".join(p.cmdline()))
    assert worker.environ()["DATABASE_URL"] == "postgresql://db.example/rmn"
    assert worker.environ()["POLARS_MAX_THREADS"] == "1"
    platform.end()
    assert platform.left_over() == []


def test_the_next_free_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port("127.0.0.1", port) > port


def test_an_address_of_another_machine() -> None:
    with pytest.raises(Unavailable, match="RMN_PORT"):
        free_port("203.0.113.1", 8000)
