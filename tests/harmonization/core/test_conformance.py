"""What harmonising writes is the table that the schema describes."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from harmonization.core.attributions_long import attributions_long
from harmonization.core.conformance import Departure, departures
from harmonization.core.contract_checks import mapped_names
from harmonization.core.engine import harmonize_file
from harmonization.core.library import find_contract, shipped_contracts
from harmonization.core.load_context import LoadContext
from harmonization.core.rmis import COLUMNS, MADE, TABLE_VOCABULARIES, TABLES
from tests.harmonization.core.exports import SEARCH_TERM, search_term_row, write_csv


@pytest.fixture
def events(tmp_path: Path) -> pl.LazyFrame:
    path = write_csv(tmp_path / "st.csv", [SEARCH_TERM, search_term_row("chips"), search_term_row("crisps")])
    context = LoadContext(
        base_currency="EUR", fx_rates=((datetime.date(2020, 2, 1), "USD", Decimal("0.9")),), account_id="a"
    )
    harmonize_file(path, find_contract("amazon_sp_search_term"), out_dir=tmp_path / "out", context=context)
    return pl.scan_parquet(tmp_path / "out" / "events.parquet")


def test_good_rows_conform(events: pl.LazyFrame) -> None:
    assert departures("events", events) == []
    assert departures("attributions", attributions_long(events)) == []


def test_every_departure_is_told(events: pl.LazyFrame) -> None:
    spoiled = pl.concat([events, events]).with_columns(
        pl.lit("Moon").alias("placement"), pl.col("clicks").cast(pl.Float64), pl.lit(1).alias("mood")
    )
    told = departures("events", spoiled.drop("network").with_columns(pl.lit(1).alias("att__mood")))
    assert set(told) == {
        Departure("network", "is missing"),
        Departure("clicks", "is Float64, not Int64"),
        Departure("mood", "is no column of the table"),
        Departure("att__mood", "is no column of the table"),
        Departure("placement", "has values outside its closed list", 4),
        Departure("event_key", "does not tell rows apart", 2),
    }


def test_a_catalogue_is_held_to_its_own_table() -> None:
    row = {"sku": "A", "retailer_id": "r", "source_id": "1", "source_id_type": "barcode", "product_name": "x"}
    told = departures("skus", pl.LazyFrame([row | {"brand": "Acme"}]))
    assert told == [Departure("source_id_type", "has values outside its closed list", 1)]


@pytest.mark.parametrize("table", TABLES)
def test_tables_name_each_column_once_and_their_keys_are_columns(table: str) -> None:
    names = [column.name for column in TABLES[table].columns]
    assert len(set(names)) == len(names)
    assert set(TABLES[table].key) <= set(names)
    assert all(column.description for column in TABLES[table].columns)


def test_closed_lists_are_of_columns_that_there_are() -> None:
    columns = {column.name: column for table in TABLES.values() for column in table.columns}
    assert all(columns[name].unit == "text" for name in TABLE_VOCABULARIES)


@pytest.mark.parametrize("name", sorted(shipped_contracts()))
def test_contracts_map_to_the_schema_and_to_nothing_that_harmonising_makes(name: str) -> None:
    contract = find_contract(name)
    assert mapped_names(contract) <= set(COLUMNS)
    assert not {field.target for field in contract.fields} & MADE
