from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pyarrow import fs

from harmonization.core import watched_places
from harmonization.core.watched_places import (
    SeenFile,
    find_place,
    has_marker,
    is_settled,
    list_files,
    read_file,
    roots_of,
)
from tenants.core.problems import InvalidInput, NotFound

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "exports"
    (root / "walmart").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "plan.csv").write_text("secret")
    return root


def test_roots_are_of_one_tenant():
    allowed = ["acme=/srv/acme", "birch=/srv/birch", "acme=s3://bucket/acme", "broken"]
    assert roots_of("acme", allowed) == ["/srv/acme", "s3://bucket/acme"]
    assert roots_of("cedar", allowed) == []


@pytest.mark.parametrize("within", ["", "/walmart", "/walmart/../walmart"])
def test_folder_below_the_root(root, within):
    assert find_place(f"folder:{root}{within}", [str(root)]).root == str(root)


@pytest.mark.parametrize("escape", ["/..", "/../secret", "/walmart/../../secret", "x"])
def test_folder_outside_is_refused(root, escape):
    with pytest.raises(InvalidInput, match="outside"):
        find_place(f"folder:{root}{escape}", [str(root)])


@pytest.mark.parametrize("text", ["exports", "file:///etc", "http://169.254.169.254/", "folder:relative", "", "/a\0b"])
def test_what_is_no_place(root, text):
    with pytest.raises(InvalidInput):
        find_place(text, [str(root), "/"])


def test_link_out_of_the_root_is_refused(root, tmp_path):
    (root / "out").symlink_to(tmp_path / "secret")
    with pytest.raises(InvalidInput, match="outside"):
        find_place(f"folder:{root}/out", [str(root)])


def test_linked_file_is_neither_listed_nor_read(root, tmp_path):
    (root / "plan.csv").symlink_to(tmp_path / "secret" / "plan.csv")
    (root / "real.csv").write_text("a,b")
    place = find_place(f"folder:{root}", [str(root)])
    assert [file.path for file in list_files(place, "*.csv")] == ["real.csv"]
    for path in ("plan.csv", "../secret/plan.csv"):
        with pytest.raises(NotFound):
            list(read_file(place, path))
    assert b"".join(read_file(place, "real.csv")) == b"a,b"


@pytest.mark.parametrize(
    "text",
    [
        "s3://bucket/acme/../birch",
        "s3://bucket/birch",
        "s3://other/acme",
        "s3://bucket/acmeX",
        "s3://bucket/acme?endpoint_override=evil",
        "s3://key:secret@bucket/acme",
        "s3://bucket/acme%2f..",
        "s3://",
    ],
)
def test_prefix_outside_is_refused(text):
    with pytest.raises(InvalidInput):
        find_place(text, ["s3://bucket/acme"])


def test_prefix_below_the_root():
    place = find_place("s3://bucket/acme/walmart/", ["s3://bucket/acme"])
    assert (str(place), place.kind) == ("s3://bucket/acme/walmart", "s3")


def test_store_is_listed_and_read(monkeypatch, tmp_path):
    (tmp_path / "bucket" / "acme").mkdir(parents=True)
    (tmp_path / "bucket" / "acme" / "a.csv").write_text("a")
    store = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    monkeypatch.setattr(watched_places, "_store", lambda place: store)
    place = find_place("s3://bucket/acme", ["s3://bucket"])
    assert [file.path for file in list_files(place, "*")] == ["a.csv"]
    assert b"".join(read_file(place, "a.csv")) == b"a"


def test_markers_and_hidden_files_are_passed_over(root):
    for name in ("a.csv", "a.csv.done", ".b.csv", "c.csv.part", "d.tmp", "walmart/e.csv"):
        (root / name).write_text("x")
    place = find_place(f"folder:{root}", [str(root)])
    assert sorted(file.path for file in list_files(place, "*")) == ["a.csv", "walmart/e.csv"]
    assert [file.path for file in list_files(place, "walmart/*.csv")] == ["walmart/e.csv"]
    assert has_marker(place, "a.csv")
    assert not has_marker(place, "walmart/e.csv")


def test_place_that_is_gone(root):
    place = find_place(f"folder:{root}/later", [str(root)])
    with pytest.raises(NotFound):
        list_files(place, "*")


@pytest.mark.parametrize(
    ("idle", "before", "settled"),
    [(30, "same", False), (90, "same", True), (90, "smaller", False), (90, None, False), (700, None, True)],
)
def test_file_that_may_still_be_written_waits(idle, before, settled):
    now = SeenFile("a.csv", 10, NOON - timedelta(seconds=idle))
    earlier = {"same": now, "smaller": SeenFile("a.csv", 5, now.modified), None: None}[before]
    assert is_settled(now, earlier, clock=NOON, settle=timedelta(seconds=60)) is settled
