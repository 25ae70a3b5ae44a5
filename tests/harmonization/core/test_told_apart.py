"""What tells rows and files apart where columns do not: joined cells, names of files, days that people name."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from harmonization.core.contract import Contract, InvalidContract, parse_contract
from harmonization.core.detect import SeveralContractsFit
from harmonization.core.engine import harmonize_file

TEXT = """
schema_version: rmis/1
name: {name}
version: 1
title: A report
network: example
report: daily
coverage: {{rank: 10, impressions: all}}
source: {{formats: [csv], timezone: UTC, currency: EUR, grain: day{source}}}
{extra}
fields:
  - {{target: period_start, headers: [Day], required: true, date_formats: [iso]}}
  - {{target: campaign_name, headers: [Campaign]}}
  - {{target: breakdown, headers: [System, Language], join: true{more}}}
  - {{target: clicks, headers: [Clicks], required: true}}
rules:
  - {{id: campaign_known, kind: not_null, columns: [campaign_name], severity: warn}}
natural_key: [period_start, campaign_name, breakdown]
restatement_days: 0
"""
CSV = "Day,Campaign,System,Language,Clicks\n2026-11-02,Chips,iOS,de,1\n2026-11-02,Chips,,fr,2\n2026-11-02,,,,3\n"


def contract(name: str = "one", source: str = "", extra: str = "", more: str = "") -> Contract:
    return parse_contract(TEXT.format(name=name, source=source, extra=extra, more=more))


def write(path: Path, text: str = CSV) -> Path:
    path.write_text(text)
    return path


def test_cells_are_joined_in_the_contract_s_order(tmp_path: Path) -> None:
    report = harmonize_file(write(tmp_path / "a.csv"), contract(), out_dir=tmp_path / "out")
    rows = pl.read_parquet(tmp_path / "out" / "events.parquet").sort("source_row")
    assert rows["breakdown"].to_list() == ["iOS | de", "fr", None]
    assert {warning.code: warning.rows for warning in report.warnings} == {"campaign_known": 1}


def test_a_default_stands_where_all_cells_are_empty(tmp_path: Path) -> None:
    harmonize_file(write(tmp_path / "a.csv"), contract(more=", default: all"), out_dir=tmp_path / "out")
    rows = pl.read_parquet(tmp_path / "out" / "events.parquet").sort("source_row")
    assert rows["breakdown"].to_list() == ["iOS | de", "fr", "all"]


def test_a_file_s_name_decides_between_equals(tmp_path: Path) -> None:
    both = [contract("one"), contract("two", source=', file_names: ["(?i)regions"]')]
    assert harmonize_file(write(tmp_path / "Regions_2026.csv"), both).contract == "two"
    with pytest.raises(SeveralContractsFit):
        harmonize_file(write(tmp_path / "a.csv"), both)


DAY = "parameters: {first: {kind: day, description: The first.}, last: {kind: day, description: The last.}}"


@pytest.mark.parametrize(
    ("parts", "finding"),
    [
        ({"more": ", coalesce: true"}, "Only texts are joined"),
        ({"source": ', file_names: ["(?=x)"]'}, "Look-around"),
        ({"source": ", period: [first, last]"}, "no parameter of kind day"),
        ({"source": ", period: [first, last]", "extra": DAY}, "A column gives period_start already"),
        ({"extra": "parameters: {first: {kind: day, default: x, description: A day.}}"}, "named with each file"),
        ({"extra": "parameters: {first: {values: {a: 1}, description: A choice.}}"}, "default is not among the values"),
    ],
    ids=["join_and_coalesce", "pattern", "period_without_days", "period_twice", "day_with_default", "no_default"],
)
def test_a_contract_that_disagrees_with_itself_is_refused_by_line(parts: dict[str, str], finding: str) -> None:
    with pytest.raises(InvalidContract) as problem:
        contract(**parts)
    assert any(finding in error["detail"] and error["line"] > 1 for error in problem.value.errors)
