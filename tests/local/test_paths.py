from pathlib import Path
from urllib.parse import urlsplit

import psycopg.conninfo
import pytest
import redis
from kombu.utils.url import parse_url

from rmn_site.local import paths
from rmn_site.queues import celery_url
from tenants.core.problems import Conflict, InvalidInput


def test_home_is_in_the_project() -> None:
    assert paths.data_home({}, project=Path("/srv/rmn"), uid=1000) == Path("/srv/rmn/.rmn")


def test_home_can_be_set() -> None:
    assert paths.data_home({"RMN_DATA_HOME": "/data/rmn"}, project=Path("/srv/rmn")) == Path("/data/rmn")


def test_home_of_root_avoids_a_closed_folder(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    project = closed / "rmn"
    assert paths.data_home({}, project=project, uid=1000) == project / ".rmn"
    assert paths.data_home({}, project=project, uid=0).parent in (Path("/var/tmp"), Path("/tmp"))


def test_home_of_a_deep_checkout_is_short_and_its_own() -> None:
    first = paths.data_home({}, project=Path("/srv") / ("a" * 90), uid=1000)
    second = paths.data_home({}, project=Path("/srv") / ("b" * 90), uid=1000)
    assert paths.socket_paths_fit(first)
    assert first != second
    assert first == paths.data_home({}, project=Path("/srv") / ("a" * 90), uid=1000)


def test_addresses_survive_spaces_and_percent_signs() -> None:
    home = Path("/srv/my 100% data")
    database = psycopg.conninfo.conninfo_to_dict(paths.embedded_database_url(home))
    assert database == {"user": "postgres", "dbname": "rmn", "host": "/srv/my 100% data/pgdata"}
    pool = redis.ConnectionPool.from_url(paths.embedded_redis_url(home))
    assert pool.connection_kwargs["path"] == "/srv/my 100% data/valkey/valkey.sock"
    broker = parse_url(celery_url(paths.embedded_redis_url(home)))
    assert broker["transport"] == "redis+socket"
    assert "/" + broker["virtual_host"].lstrip("/") == "/srv/my 100% data/valkey/valkey.sock"


def test_broker_of_a_real_server_keeps_its_address() -> None:
    assert celery_url("redis://cache.example:6379/2") == "redis://cache.example:6379/2"


def test_prepared_twice_is_prepared_once(home: Path) -> None:
    made = home / "made"
    assert paths.prepare_home(made) == paths.prepare_home(made) == made
    assert paths.is_data_home(made)
    assert not made.stat().st_mode & 0o066


def test_too_long_a_home_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="RMN_DATA_HOME") as caught:
        paths.prepare_home(tmp_path / ("x" * 100))
    assert "100 bytes" in caught.value.detail


def test_a_planted_link_is_refused(home: Path) -> None:
    link = home / "link"
    link.symlink_to(home)
    with pytest.raises(Conflict, match="link"):
        paths.prepare_home(link)


def test_importing_paths_starts_nothing() -> None:
    assert urlsplit(paths.embedded_redis_url(Path("/nowhere"))).scheme == "unix"
    assert not Path("/nowhere").exists()
