"""The matrix tells every case that went wrong, and what requests changed, or its silence means nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

from tests.cases import all_cases
from tests.security.conftest import World


def try_all(*names: str, allowed: str) -> list[str]:
    after = []
    with all_cases() as case:
        for name in names:
            with case(name):
                assert name == allowed, f"{name} is let in"
                after.append(name)
    return after


def test_every_case_that_went_wrong_is_named() -> None:
    assert try_all("as bob", allowed="as bob") == ["as bob"]
    with pytest.raises(AssertionError) as told:
        try_all("as alice", "as bob", "as carol", allowed="as bob")
    assert "2 of 3 cases" in str(told.value)
    assert "as alice is let in" in str(told.value)
    assert "as carol is let in" in str(told.value)


def test_crashes_are_cases_too() -> None:
    with pytest.raises(AssertionError, match="ZeroDivisionError"), all_cases() as case, case("as alice"):
        1 / 0  # noqa: B018


def test_a_test_without_cases_fails() -> None:
    with pytest.raises(AssertionError, match="no case"):
        try_all(allowed="as bob")


def test_two_cases_of_one_name_are_a_mistake() -> None:
    with pytest.raises(AssertionError, match="two cases"):
        try_all("as bob", "as bob", allowed="as bob")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE birch.accounts_brand SET name = 'other' WHERE slug = 'chips'",
        "DELETE FROM birch.jobs_joblog",
        "TRUNCATE birch.accounts_brand CASCADE",
        "CREATE TABLE acme.planted (a int)",
    ],
)
def test_what_a_statement_changes_is_seen_and_undone(world: World, statement: str) -> None:
    with connection.cursor() as cursor:
        for changes in (True, False):
            with world.watch.attempt() as attempt:
                cursor.execute(statement if changes else "SELECT 1")
            assert bool(attempt.changed) == changes
        with world.watch.attempt() as attempt:
            cursor.execute("UPDATE birch.accounts_brand SET name = name")
        assert not attempt.changed


def test_what_is_done_to_files_is_seen(world: World) -> None:
    storage = world.watch.storage
    known = next(path for path in sorted(storage.rglob("*")) if path.is_file())
    content = known.read_bytes()

    def changed(path: Path, new: bytes | None) -> set[str]:
        with world.watch.attempt() as attempt:
            path.unlink() if new is None else path.write_bytes(new)
        return attempt.changed

    name = known.relative_to(storage).as_posix()
    assert changed(storage / "planted.txt", b"x") == {"planted.txt"}
    assert not (storage / "planted.txt").exists()
    assert changed(known, content) == set()
    assert changed(known, content[:-1] + b"?") == {name}
    assert changed(known, None) == {name}
    assert changed(known, content) == {name}
    # A file that was not there counts as added and is taken away again.
    known.write_bytes(content)
    world.watch.files.look()
