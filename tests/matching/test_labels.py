"""The label files that schema matching is measured by: well formed, inside RMIS, and true to themselves.

All are checked for form. The blind sets, which are not looked at while the matcher is written, are also checked for
what their READMEs promise: rows that agree with each other, and no two columns that claim the same place.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, get_args
from zoneinfo import available_timezones

import pytest
import yaml

from harmonization.core.rmis import COLUMNS, Channel, Match, Metric, Ntb

LABELS = Path(__file__).parent / "labels"
BLIND_SETS = tuple(sorted(path.name for path in LABELS.glob("blind*") if path.is_dir()))
FILES = {folder: sorted((LABELS / folder).glob("*.yaml")) for folder in ("dev", *BLIND_SETS)}
EVERY = [pytest.param(path, id=f"{folder}/{path.stem}") for folder, paths in FILES.items() for path in paths]
BLIND = [pytest.param(path, id=f"{folder}/{path.stem}") for folder in BLIND_SETS for path in FILES[folder]]
LATER = [pytest.param(path, id=f"{folder}/{path.stem}") for folder in BLIND_SETS[1:] for path in FILES[folder]]

NETWORKS = frozenset({"amazon", "walmart", "criteo", "instacart", "vtex", "google", "microsoft", "meta"})
METRICS = frozenset(get_args(Metric))
#: Columns of the schema's description that events may not have yet.
DESCRIBED = frozenset({"pack_size", "session_id", "user_id", "request_id"})
UNITS = frozenset(
    {None, "money", "micros", "cents", "fraction", "percent", "count", "date", "datetime", "gtin", "id", "text"}
)
GRAINS = frozenset({"event", "hour", "day", "from_dates"})
CURRENCY_WAYS = frozenset({"column", "header", "assumed", "none"})
QUALIFIERS = {
    "match": frozenset(get_args(Match)),
    "channel": frozenset(get_args(Channel)),
    "ntb": frozenset(get_args(Ntb)),
}

#: Ratio: numerator, denominator, factor.
RATIOS = {
    "reported_ctr": ("clicks", "impressions", 1),
    "reported_cpc": ("spend", "clicks", 1),
    "reported_cpm": ("spend", "impressions", 1000),
    "frequency": ("impressions", "reach", 1),
}
#: Units whose cells are numbers, written with a decimal point or comma.
NUMBERS = frozenset({"money", "micros", "cents", "fraction", "percent", "count"})
SCALE = {"percent": 0.01, "micros": 1e-6, "cents": 0.01}


@cache
def labels(path: Path) -> dict[str, Any]:
    """The file's content."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def figures(path: Path) -> list[dict[str, Any]]:
    """The file's columns; where it has decimal commas, the cells of numbers are rewritten with points."""
    columns: list[dict[str, Any]] = deepcopy(labels(path)["columns"])
    written = [column for column in columns if column["unit"] in NUMBERS]
    if any(re.search(r"\d,\d{1,2}\D*$", cell) for column in written for cell in column["samples"]):
        for column in written:
            column["samples"] = [cell.replace(".", "").replace(",", ".") for cell in column["samples"]]
    return columns


def bare(cell: str) -> str:
    """The cell without signs of currency and percent."""
    return re.sub(r"Rs\.|[^\d.\-]", "", cell)


def numbers(column: dict[str, Any]) -> list[float | None]:
    """Cells as numbers in whole units; None where a cell is empty."""
    scale = SCALE.get(column["unit"], 1.0)
    cells = [bare(cell) for cell in column["samples"]]
    return [float(cell) * scale if cell else None for cell in cells]


def last_digit(column: dict[str, Any]) -> float:
    """What the cells are rounded to, in whole units."""
    decimals = max(len(bare(cell).partition(".")[2]) for cell in column["samples"])
    return 10.0**-decimals * SCALE.get(column["unit"], 1.0)


@pytest.mark.parametrize("folder", BLIND_SETS)
def test_blind_set_is_large_and_knows_every_network(folder: str) -> None:
    contents = [labels(path) for path in FILES[folder]]
    assert {content["network"] for content in contents} == NETWORKS
    assert sum(len(content["columns"]) for content in contents) >= 200


def heads(path: Path) -> tuple[str, frozenset[str]]:
    """The file's network and its columns' names."""
    content = labels(path)
    return content["network"], frozenset(column["header"].strip() for column in content["columns"])


@pytest.mark.parametrize("path", LATER)
def test_later_blind_sets_repeat_no_report(path: Path) -> None:
    """Of the columns of one network's report that an earlier set labels, not all may be here again."""
    network, names = heads(path)
    earlier = list(FILES)[: list(FILES).index(path.parent.name)]
    others = [heads(other) for folder in earlier for other in FILES[folder]]
    assert [known for owner, known in others if owner == network and known >= names] == []


@pytest.mark.parametrize("path", EVERY)
def test_report_is_described(path: Path) -> None:
    content = labels(path)
    assert content["network"] in NETWORKS
    assert path.stem.startswith(content["network"] + ("_" if path.parent.name == "dev" else "__"))
    assert content["report"].strip()
    assert content["origin"].strip()
    assert content["grain"] in GRAINS
    assert content["zone"] is None or content["zone"] in available_timezones()
    currency = content["currency"]
    assert currency["how"] in CURRENCY_WAYS
    code = currency.get("code")
    assert code is None if currency["how"] == "none" else code is None or re.fullmatch("[A-Z]{3}", code)


@pytest.mark.parametrize("path", EVERY)
def test_columns_are_well_formed(path: Path) -> None:
    columns = labels(path)["columns"]
    assert columns
    for column in columns:
        where = f"{path.stem}: {column['header']!r}"
        assert column["header"].strip(), where
        assert column["unit"] in UNITS, where
        assert column["samples"], where
        assert all(isinstance(cell, str) for cell in column["samples"]), where
        assert any(cell.strip() for cell in column["samples"]), where


@pytest.mark.parametrize("path", EVERY)
def test_targets_are_in_the_schema(path: Path) -> None:
    for column in labels(path)["columns"]:
        where = f"{path.stem}: {column['header']!r}"
        target, attribution = column["target"], column["attribution"]
        if attribution is None:
            assert target is None or target in COLUMNS or target in DESCRIBED, where
            continue
        assert set(attribution) == {"metric", "click_days", "view_days", "match", "channel", "ntb"}, where
        assert attribution["metric"] in METRICS, where
        assert target == attribution["metric"], where
        for window in ("click_days", "view_days"):
            assert attribution[window] is None or attribution[window] in range(1, 366), where
        for qualifier, vocabulary in QUALIFIERS.items():
            assert attribution[qualifier] in vocabulary, where


@pytest.mark.parametrize("path", EVERY)
def test_no_header_twice_without_reason(path: Path) -> None:
    columns = labels(path)["columns"]
    times = Counter(column["header"] for column in columns)
    assert [c["header"] for c in columns if times[c["header"]] > 1 and not c.get("reason")] == []


@pytest.mark.parametrize("path", BLIND)
def test_no_place_is_claimed_twice(path: Path) -> None:
    columns = labels(path)["columns"]
    claims = Counter(
        tuple(column["attribution"].items()) if column["attribution"] else column["target"]
        for column in columns
        if column["target"] is not None
    )
    assert [claim for claim, times in claims.items() if times > 1] == []


@pytest.mark.parametrize("path", BLIND)
def test_rows_are_whole(path: Path) -> None:
    assert len({len(column["samples"]) for column in labels(path)["columns"]}) == 1


@pytest.mark.parametrize("path", BLIND)
def test_ratios_follow_from_their_parts(path: Path) -> None:
    by_target = {column["target"]: column for column in figures(path) if column["attribution"] is None}
    for ratio, (above, below, factor) in RATIOS.items():
        if not {ratio, above, below} <= by_target.keys():
            continue
        rows = zip(*(numbers(by_target[name]) for name in (ratio, above, below)), strict=True)
        slack = last_digit(by_target[ratio]) / 2
        for shown, top, bottom in rows:
            if shown is None or top is None or not bottom:
                continue
            assert math.isclose(shown, factor * top / bottom, rel_tol=1e-9, abs_tol=slack * 1.001), (path.stem, ratio)


@pytest.mark.parametrize("path", BLIND)
def test_totals_are_the_same_and_the_other(path: Path) -> None:
    outcomes: dict[tuple[Any, ...], dict[str, list[float | None]]] = {}
    for column in figures(path):
        if column["attribution"]:
            rest = tuple(value for name, value in column["attribution"].items() if name != "match")
            outcomes.setdefault(rest, {})[column["attribution"]["match"]] = numbers(column)
    for rest, by_match in outcomes.items():
        if not {"total", "same_sku", "halo"} <= by_match.keys():
            continue
        for total, same, other in zip(by_match["total"], by_match["same_sku"], by_match["halo"], strict=True):
            assert total == pytest.approx((same or 0) + (other or 0)), (path.stem, rest)


@pytest.mark.parametrize("path", BLIND)
def test_gtins_have_their_check_digit(path: Path) -> None:
    for column in labels(path)["columns"]:
        if column["unit"] != "gtin":
            continue
        for cell in column["samples"]:
            digits = [int(digit) for digit in reversed(cell)]
            assert len(digits) in (8, 12, 13, 14), (path.stem, cell)
            assert sum(d * (3 if place % 2 else 1) for place, d in enumerate(digits)) % 10 == 0, (path.stem, cell)
