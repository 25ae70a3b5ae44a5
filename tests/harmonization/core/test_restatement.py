from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from harmonization.core import giving_way
from harmonization.core.event_table import EventTableFolder
from harmonization.core.restatement import Coverage
from harmonization.core.returning import Freed
from harmonization.core.rmis import MONEY

SCHEMA = {
    "event_key": pl.String, "load_id": pl.String, "account_id": pl.String, "campaign_id": pl.String,
    "campaign_name": pl.String, "sku_id": pl.String, "period_start": pl.Date, "period_end": pl.Date,
    "currency": pl.String, "spend": MONEY, "impressions": pl.Int64, "clicks": pl.Int64, "source_row": pl.Int64,
}  # fmt: skip


class Exports:
    """Loads of one account, named by a digit; a row is (campaign, first day, spend[, last day[, account]])."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.table = EventTableFolder(folder / "events")
        self.covers: dict[str, Coverage] = {}

    def load(self, digit: str, *rows, days=None, restates="period", after=(), before=(), confirmed=False, **more):
        """Publish; `after` are loads that arrived earlier, `before` those that arrived later, the latest first."""
        load = digit * 36
        frame = pl.DataFrame(
            [self._row(load, place, *row) for place, row in enumerate(rows)], schema=SCHEMA, orient="row"
        )
        path = self.folder / "staged.parquet"
        frame.write_parquet(path)
        first, last = days or (frame["period_start"].min().day, frame["period_end"].max().day)
        self.covers[digit] = Coverage(date(2026, 11, first), date(2026, 11, last), restates, confirmed)
        self.last = self.table.commit(
            [path],
            network="walmart",
            load_id=load,
            covers=self.covers[digit],
            supersedes=[other * 36 for other in after],
            yields_to={other * 36: self.covers[other] for other in before},
            **more,
        )
        return self.last

    @staticmethod
    def _row(load, place, campaign, first, spend, last=None, account="wm-1"):
        start, end = date(2026, 11, first), date(2026, 11, last or first)
        key = f"{account}/{campaign}/{start}/{end}"
        return (
            key,
            load,
            account,
            None,
            campaign,
            "501",
            start,
            end,
            "USD",
            Decimal(spend),
            spend * 100,
            spend,
            place + 2,
        )

    def rows(self):
        rows = self.table.scan(self.last.version).select("campaign_name", pl.col("period_start").dt.day(), "spend")
        return sorted((name, day, int(spend)) for name, day, spend in rows.collect().iter_rows())


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    return Exports(tmp_path)


FOUR = [("chips", day, 10) for day in (1, 2, 3, 4)]


def test_row_that_vanished_from_a_later_export_is_gone(exports):
    exports.load("1", *FOUR, ("nuts", 2, 1))
    done = exports.load("2", *FOUR, after="1")
    assert exports.rows() == FOUR
    (move,) = done.moves
    assert (move.mode, move.rows, move.vanished_rows, move.vanished_spend) == ("period", 5, 1, {"USD": Decimal(1)})


def test_renamed_campaign_is_counted_once(exports):
    exports.load("1", *FOUR)
    done = exports.load("2", *[("crisps", day, 10) for day in (1, 2, 3, 4)], after="1")
    assert exports.rows() == [("crisps", day, 10) for day in (1, 2, 3, 4)]
    assert (done.moves[0].mode, done.moves[0].looks_filtered) == ("period", False)


def test_rows_outside_the_days_stay(exports):
    exports.load("1", *FOUR)
    exports.load("2", ("chips", 3, 11), ("chips", 4, 12), ("chips", 5, 13), after="1")
    assert exports.rows() == [("chips", 1, 10), ("chips", 2, 10), ("chips", 3, 11), ("chips", 4, 12), ("chips", 5, 13)]


def test_export_of_another_campaign_alone_looks_filtered(exports):
    exports.load("1", *FOUR)
    done = exports.load("2", *[("nuts", day, 30) for day in (1, 2, 3, 4)], after="1")
    assert exports.rows() == sorted([*FOUR, *[("nuts", day, 30) for day in (1, 2, 3, 4)]])
    (move,) = done.moves
    assert (move.mode, move.looks_filtered, move.rows) == ("rows", True, 0)
    assert (move.vanished_rows, move.vanished_spend) == (4, {"USD": Decimal(40)})


def test_other_campaign_with_the_same_total_on_other_days_looks_filtered_too(exports):
    exports.load("1", *FOUR)
    exports.load("2", ("nuts", 1, 38), ("nuts", 4, 2), after="1")
    assert len(exports.rows()) == 6


def test_confirmed_export_is_whole(exports):
    exports.load("1", *FOUR)
    exports.load("2", ("nuts", 1, 30), ("nuts", 4, 30), after="1")
    assert len(exports.rows()) == 6
    covers = exports.covers["2"]
    done = exports.table.restate(
        "2" * 36,
        network="walmart",
        covers=Coverage(covers.first, covers.last, confirmed=True),
        supersedes=["1" * 36],
    )
    exports.last = done
    assert exports.rows() == [("nuts", 1, 30), ("nuts", 4, 30)]
    assert done.superseded == 4
    again = exports.table.restate("2" * 36, network="walmart", covers=covers, supersedes=["1" * 36])
    assert (again.superseded, again.version) == (0, done.version)


def test_weekly_rows_in_place_of_daily_ones(exports):
    exports.load("1", *FOUR)
    exports.load("2", ("chips", 1, 40, 4), after="1")
    assert exports.rows() == [("chips", 1, 40)]


def test_straddling_row_stays_and_is_said(exports):
    exports.load("1", ("chips", 1, 70, 7), ("chips", 8, 70, 14))
    done = exports.load("2", *[("chips", day, 10) for day in range(8, 18)], days=(5, 17), after="1")
    (move,) = done.moves
    assert (move.mode, move.straddling_rows, move.straddling_spend) == ("period", 1, {"USD": Decimal(70)})
    assert ("chips", 1, 70) in exports.rows()
    assert ("chips", 8, 70) not in exports.rows()


def test_other_account_of_the_same_file_stays(exports):
    exports.load("1", *FOUR, ("nuts", 2, 5, 2, "wm-2"))
    exports.load("2", *FOUR, after="1")
    assert exports.rows() == sorted([*FOUR, ("nuts", 2, 5)])


def test_by_rows_only_the_same_keys_give_way(exports):
    exports.load("1", *FOUR, ("nuts", 2, 1))
    exports.load("2", *[("chips", day, 11) for day in (1, 2, 3, 4)], after="1", restates="rows")
    assert exports.rows() == sorted([*[("chips", day, 11) for day in (1, 2, 3, 4)], ("nuts", 2, 1)])


LOADS = {
    "1": [*FOUR, ("nuts", 2, 1)],
    "2": [("chips", day, 11) for day in (2, 3, 4, 5)],
    "3": [("crisps", 3, 11), ("chips", 4, 12), ("chips", 5, 11), ("chips", 6, 9)],
}


@pytest.mark.parametrize("order", sorted("".join(order) for order in permutations("123")))
def test_order_of_publication_does_not_matter(exports, order):
    published: list[str] = []
    for digit in order:
        earlier = [other for other in published if other < digit]
        later = sorted((other for other in published if other > digit), reverse=True)
        exports.load(digit, *LOADS[digit], after=earlier, before=later)
        published.append(digit)
    assert exports.rows() == sorted([("chips", 1, 10), ("chips", 2, 11), *LOADS["3"]])


def test_vacuum_leaves_what_the_versions_need(exports):
    first = exports.load("1", *FOUR)
    second = exports.load("2", *[("chips", day, 11) for day in (1, 2, 3, 4)], after="1")
    (exports.table.folder / "walmart" / "torso.parquet").write_bytes(b"half")
    done = exports.table.vacuum(second.version, [first.version])
    assert (done.files, done.bytes) == (1, 4)
    assert exports.table.scan(first.version).collect().height == 4
    before = exports.table.size
    done = exports.table.vacuum(second.version, [])
    assert done.files == 1
    assert exports.table.size == before - done.bytes
    assert exports.rows() == [("chips", day, 11) for day in (1, 2, 3, 4)]


def test_only_what_the_new_reading_does_not_cover_comes_back(exports):
    first = exports.load("1", *(("chips", day, 10) for day in (1, 2, 3)), ("week", 2, 70, 4))
    second = exports.load("2", ("chips", 2, 11), ("chips", 5, 11), after="1", confirmed=True)
    assert exports.rows() == [("chips", 1, 10), ("chips", 2, 11), ("chips", 5, 11)]
    covers = Coverage(date(2026, 11, 3), date(2026, 11, 6), confirmed=True)
    freed = Freed("1" * 36, "2" * 36, {"3" * 36: covers}, went=(first.version, second.version))
    assert exports.table.holds(freed)
    last = exports.load(
        "3", ("chips", 4, 12), days=(3, 6), after="1", replaces=["2" * 36], frees=[freed], confirmed=True
    )
    # The third day is told by the new reading, which has nothing on it; the week reaches over its border and stays.
    assert exports.rows() == [("chips", 1, 10), ("chips", 2, 10), ("chips", 4, 12), ("week", 2, 70)]
    (back,) = last.returned
    assert (back.rows, back.spend, back.first, back.last) == (2, {"USD": 80}, date(2026, 11, 2), date(2026, 11, 4))
    move = next(move for move in last.moves if move.earlier == "1" * 36)
    assert (move.rows, move.straddling_rows, len(move.asides)) == (1, 1, 1)
    # Taken from hand to hand: what the new reading took is found where it was set aside.
    freed = Freed("1" * 36, "3" * 36, {"4" * 36: Coverage(date(2026, 11, 9), date(2026, 11, 9))}, asides=move.asides)
    last = exports.load("4", ("chips", 9, 13), after="1", replaces=["3" * 36], frees=[freed])
    assert ("chips", 3, 10) in exports.rows()
    assert exports.table.missing("1" * 36, {"4" * 36: exports.covers["4"]}).rows == 0


def test_what_was_deleted_is_missed_and_counted(exports):
    first = exports.load("1", *FOUR)
    second = exports.load("2", *(("chips", day, 11) for day in (2, 3)), after="1", confirmed=True)
    exports.table.vacuum(second.version, [])
    assert not exports.table.holds(Freed("1" * 36, "2" * 36, {}, went=(first.version, second.version)))
    exports.load("3", ("chips", 9, 12), after="1", replaces=["2" * 36])
    missing = exports.table.missing("1" * 36, {"3" * 36: exports.covers["3"]})
    assert (missing.rows, missing.spend) == (2, {"USD": 20})
    assert (missing.first, missing.last) == (date(2026, 11, 2), date(2026, 11, 3))


def test_vacuum_passes_over_versions_whose_log_is_gone(exports):
    versions = [exports.load("1", *FOUR).version]
    for digit in "23":
        rows = [("chips", day, 10 + int(digit)) for day in (1, 2, 3, 4)]
        versions.append(exports.load(digit, *rows, after=str(int(digit) - 1)).version)
    DeltaTable(str(exports.table.folder)).create_checkpoint()
    (exports.table.folder / "_delta_log" / f"{versions[0]:020}.json").unlink()
    done = exports.table.vacuum(versions[-1], versions[:-1])
    assert done.lost == tuple(versions[:-1]), "the second starts from the first"
    assert done.files == 2
    assert exports.rows() == [("chips", day, 13) for day in (1, 2, 3, 4)]


def test_keys_are_compared_in_parts(exports, monkeypatch):
    monkeypatch.setattr(giving_way, "KEYS_AT_ONCE", 3)
    campaigns = [f"campaign {place}" for place in range(20)]
    exports.load("1", *((name, 1, 10) for name in campaigns))
    last = exports.load("2", *((name, 1, 11) for name in campaigns[5:12]), restates="rows", after="1")
    assert last.superseded == 7
    kept = [(name, 1, 10) for name in (*campaigns[:5], *campaigns[12:])]
    assert exports.rows() == sorted([*kept, *((name, 1, 11) for name in campaigns[5:12])])


def test_figures_to_date_told_again_are_counted_once(tmp_path):
    exports = Exports(tmp_path)
    for place, (last, spend) in enumerate([(10, 100), (11, 110), (12, 120)]):
        digit = str(place + 1)
        exports.load(digit, ("chips", 1, spend, last), days=(1, last), after=[str(n + 1) for n in range(place)])
    version = exports.table.head
    assert exports.table.scan(version).select(pl.col("spend").sum()).collect().item() == Decimal("120")
