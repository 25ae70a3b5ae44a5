"""A load that is killed ends as if it had not been: the two narrow moments here; random ones, on ten million rows, in
`make prove`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from proofs.kill import (
    LEASE,
    SAME,
    Killing,
    differences,
    when_a_file_reaches_the_table,
    when_the_version_is_written,
)
from tests.jobs.workers import running_site

pytestmark = pytest.mark.processes


@pytest.fixture
def killing(real_database: str, storage: Path, tmp_path: Path) -> Iterator[Killing]:
    with running_site(real_database, tmp_path, lease=LEASE) as site:
        yield Killing(site, rows=3_000, seed=7)


def test_a_killed_load_leaves_the_table_of_an_undisturbed_one(killing):
    undisturbed = killing.undisturbed()
    assert undisturbed["job"] == "succeeded"
    assert [status for status, *_ in undisturbed["loads"]] == ["published", "published"]
    moments = [
        (when_a_file_reaches_the_table, "child"),
        (when_the_version_is_written, "worker"),
    ]
    interrupted = 0
    for moment, victim in moments:
        killed = killing.killed(moment, victim)
        assert differences(killed, undisturbed) == {}
        interrupted += killed["attempts"] > 1
    assert interrupted, "no kill met a running attempt"


def test_what_differs_is_seen():
    state = dict.fromkeys(SAME, 1)
    assert differences(state, state) == {}
    for name in SAME:
        assert set(differences({**state, name: 2}, state)) == {name}
