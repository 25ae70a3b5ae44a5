"""Windows that no header tells: beside the figures, above them, in the file's name, or nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harmonization.core.contract import Contract, parse_contract
from harmonization.core.matching.propose import propose

HEAD = "Date,Campaign,Impressions,Clicks,Spend,Sales"
ROWS = "2026-02-01,Chips,100,3,4.00,6.00\n2026-02-02,Nuts,200,5,6.00,7.00\n"


def windows(path: Path, contracts: list[Contract]) -> tuple[dict[str, str], list[str]]:
    """Defaults of the parameters that ask for a window, and the questions about them."""
    proposal = propose(path, contracts)
    parse_contract(proposal.contract_yaml)
    parameters = yaml.safe_load(proposal.contract_yaml).get("parameters", {})
    asked = [decision for decision in proposal.decisions if "attribution window" in decision]
    return {name: parameter["default"] for name, parameter in parameters.items()}, asked


def test_a_column_of_settings(tmp_path: Path, contracts: list[Contract]) -> None:
    path = tmp_path / "report.csv"
    rows = ROWS.replace("Chips,", "Chips,7d_click_or_1d_view,").replace("Nuts,", "Nuts,7d_click_or_1d_view,")
    path.write_text(HEAD.replace("Campaign,", "Campaign,attribution_setting,") + "\n" + rows)
    found, asked = windows(path, contracts)
    assert found == {"click_window": "7D", "view_window": "1D"}
    assert "what the column 'attribution_setting' says" in asked[0]


def test_settings_that_differ_by_row_tell_nothing(tmp_path: Path, contracts: list[Contract]) -> None:
    path = tmp_path / "report.csv"
    rows = ROWS.replace("Chips,", "Chips,7d_click,").replace("Nuts,", "Nuts,1d_click,")
    path.write_text(HEAD.replace("Campaign,", "Campaign,attribution_setting,") + "\n" + rows)
    found, asked = windows(path, contracts)
    assert found == {"click_window": "14D"}
    assert "14D is a placeholder" in asked[0]


@pytest.mark.parametrize(
    ("name", "title", "days"),
    [
        ("report.csv", "Attribution window: 30 day click", "30D"),
        ("sales_7d_click_attribution.csv", "", "7D"),
        ("report.csv", "Last 30 days", "14D"),
        ("sales_last_30_days.csv", "", "14D"),
        ("report_3_day_lookback.csv", "", "3D"),
    ],
)
def test_titles_and_names_of_files(name: str, title: str, days: str, tmp_path: Path, contracts: list[Contract]) -> None:
    path = tmp_path / name
    path.write_text((f"{title}\n" if title else "") + HEAD + "\n" + ROWS)
    assert windows(path, contracts)[0] == {"click_window": days}


def test_a_header_that_tells_needs_no_title(tmp_path: Path, contracts: list[Contract]) -> None:
    path = tmp_path / "report.csv"
    path.write_text("Attribution window: 30 day click\n" + HEAD.replace("Sales", "Sales 14 days") + "\n" + ROWS)
    assert windows(path, contracts) == ({}, [])
