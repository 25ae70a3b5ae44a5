from __future__ import annotations

import pytest

from harmonization.core.drift import DEFAULT_POLICY, ColumnProfile, compare_files, profile_columns

DAYS = [f"2026-11-{1 + n % 28:02d}" for n in range(40)]
SPEND = [f"{3 + n * 0.37:.2f}" for n in range(40)]
FILE = {"Day": DAYS, "Campaign": [f"Campaign {n % 4}" for n in range(40)], "Spend (USD)": SPEND}
TARGETS = {"Day": "period_start", "Campaign": "campaign_name", "Spend (USD)": "spend"}


def profile(cells, targets=TARGETS):
    return [ColumnProfile.of_dict(one.as_dict()) for one in profile_columns(cells, targets)]


def drift(now, before=FILE, targets=TARGETS, policy=DEFAULT_POLICY):
    return [
        (one.drift, one.header, one.action) for one in compare_files(profile(before), profile(now, targets), policy)
    ]


def scaled(factor: float) -> list[str]:
    return [f"{float(cell) * factor:.4f}" for cell in SPEND]


def test_same_file_does_not_drift():
    assert drift(FILE) == []
    assert drift({**FILE, "Spend (USD)": scaled(1.4)}) == []


def test_case_spaces_and_units_of_headers_do_not_count():
    assert drift({"day ": DAYS, "CAMPAIGN": FILE["Campaign"], "Spend (USD)": SPEND}) == []


def test_added_and_removed():
    now = {"Day": DAYS, "Spend (USD)": SPEND, "Viewable": ["12"] * 40}
    assert drift(now) == [("added", "Viewable", "propose"), ("removed", "Campaign", "warn")]


def test_renamed_by_likeness_or_by_what_the_contract_reads():
    assert drift({"Day": DAYS, "Campaign name": FILE["Campaign"], "Spend (USD)": SPEND}) == [
        ("renamed", "Campaign name", "propose")
    ]
    now = {"Day": DAYS, "Campaign": FILE["Campaign"], "Ad cost": SPEND}
    assert drift(now, targets={**TARGETS, "Ad cost": "spend"}) == [("renamed", "Ad cost", "propose")]
    assert drift(now) == [("added", "Ad cost", "propose"), ("removed", "Spend (USD)", "warn")]


def test_retyped():
    assert drift({**FILE, "Spend (USD)": ["high", "low"] * 20}) == [("retyped", "Spend (USD)", "block")]
    assert drift({**FILE, "Spend (USD)": [""] * 40}) == []


@pytest.mark.parametrize("factor", [100, 0.01, 1_000, 1_000_000])
def test_unit_changed(factor):
    assert drift({**FILE, "Spend (USD)": scaled(factor)}) == [("unit_changed", "Spend (USD)", "block")]


@pytest.mark.parametrize("factor", [3, 30, 300, 10_000])
def test_larger_figures_are_no_other_unit(factor):
    assert drift({**FILE, "Spend (USD)": scaled(factor)}) == []


def test_few_rows_tell_nothing():
    few = {"Day": DAYS[:5], "Campaign": FILE["Campaign"][:5], "Spend (USD)": scaled(100)[:5]}
    assert drift(few) == []


def test_other_currency_sign():
    before = {**FILE, "Spend (USD)": [f"${cell}" for cell in SPEND]}
    now = {**FILE, "Spend (USD)": [f"€{cell}" for cell in SPEND]}
    assert drift(now, before) == [("unit_changed", "Spend (USD)", "block")]


def test_percent_signs_speak_for_themselves():
    before = {**FILE, "CTR": [f"{n / 4000:.4f}" for n in range(1, 41)]}
    now = {**FILE, "CTR": [f"{n / 40:.2f}%" for n in range(1, 41)]}
    assert drift(now, before) == []


def test_column_that_nobody_reads_blocks_nothing():
    before, now = {**FILE, "Extra": SPEND}, {**FILE, "Extra": scaled(100)}
    assert drift(now, before) == [("unit_changed", "Extra", "warn")]


def test_policy_decides():
    lax = {**DEFAULT_POLICY, "unit_changed": "warn"}
    assert drift({**FILE, "Spend (USD)": scaled(100)}, policy=lax) == [("unit_changed", "Spend (USD)", "warn")]
