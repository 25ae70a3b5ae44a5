"""Three readings of the same exports must agree to the cent: the generator's truth, fixed before anything is formatted;
csv and openpyxl with Decimal alone; and the harmoniser's command line."""

import csv
import json
import re
from decimal import Decimal

import openpyxl
import pytest

from demo.core.exports import write_sample_exports
from tests.shell import manage

COLUMNS = {
    "amazon_sp_search_term": ("Impressions", "Clicks", "Spend"),
    "amazon_sp_advertised_product": ("Impressions", "Clicks", "Spend"),
    "walmart_search_item": ("numAdsShown", "numAdsClicks", "adSpend"),
    "criteo_performance": ("impressions", "clicks", "spend"),
}


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    write_sample_exports(folder, seed=11, profile="birch")
    return folder, json.loads((folder / "truth.json").read_text())


def rows_of(path):
    if path.suffix == ".xlsx":
        sheet = openpyxl.load_workbook(path).worksheets[0]
        header, *rows = sheet.iter_rows(values_only=True)
        return [dict(zip([str(name or "").strip() for name in header], row, strict=False)) for row in rows]
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        return [{name.strip(): value for name, value in row.items()} for row in reader]


def amount(value):
    """A cell as a decimal: Excel's floats as the shortest decimal that reads back as the same float."""
    text = repr(value) if isinstance(value, float) else str(value)
    return Decimal(re.sub(r"^[^\d-]+", "", text).replace(",", ""))


def second_reading(path, contract):
    impressions, clicks, spend = COLUMNS[contract]
    rows = rows_of(path)
    return {
        "rows": len(rows),
        "impressions": sum(int(amount(row[impressions])) for row in rows),
        "clicks": sum(int(amount(row[clicks])) for row in rows),
        "spend": sum((amount(row[spend]) for row in rows), Decimal(0)),
    }


def harmonize(path, *arguments):
    done = manage("harmonize", str(path), "--json", *arguments)
    return done, json.loads(done.stdout) if done.returncode == 0 else None


def good_files(truth):
    return [entry for entry in truth["files"] if entry["contract"] and not entry.get("broken")]


def test_three_readings_agree(exports):
    folder, truth = exports
    seen = set()
    for entry in good_files(truth):
        done, found = harmonize(folder / entry["file"], "--contract", "auto", "--currency", entry["currency"])
        assert found is not None, done.stderr
        (expected,) = entry["totals"]
        (totals,) = found["totals"]
        second = second_reading(folder / entry["file"], entry["contract"])
        assert found["contract"] == entry["contract"]
        assert found["rows_in"] == found["rows_out"] == entry["rows"] == second["rows"]
        assert (found["rows_quarantined"], found["rows_skipped"]) == (0, 0)
        for name in ("impressions", "clicks"):
            assert totals[name] == int(expected[name]) == second[name], (entry["file"], name)
        assert Decimal(str(totals["spend"])) == Decimal(expected["spend"]) == second["spend"], entry["file"]
        assert by_meaning(found["attributed"]) == by_meaning(entry["attributed"]), entry["file"]
        assert found["seconds"] > 0
        assert found["peak_rss_mb"] > 0
        seen.add(entry["contract"])
    assert seen == set(COLUMNS)


def by_meaning(attributed):
    names = ("metric", "click_days", "view_days", "touch", "match", "channel", "ntb", "model")
    return {tuple(one[name] for name in names): Decimal(str(one["value"])) for one in attributed}


def test_truth_has_every_split(exports):
    _, truth = exports
    meanings = {key for entry in good_files(truth) for key in by_meaning(entry["attributed"])}
    assert {"same_sku", "halo", "total"} <= {match for _, _, _, _, match, *_ in meanings}
    assert {"store", "pickup", "delivery"} <= {channel for *_, channel, _, _ in meanings}
    assert "new" in {ntb for *_, ntb, _ in meanings}


def test_broken_feed_is_refused_by_name(exports):
    folder, truth = exports
    (broken,) = [entry for entry in truth["files"] if entry.get("broken")]
    done, found = harmonize(folder / broken["file"], "--contract", broken["contract"])
    assert found is None
    assert done.returncode == 2
    problem = json.loads(done.stderr.strip().splitlines()[-1] if "\n{" in done.stderr else done.stderr)
    old = next(iter(broken["broken"]["renamed"]))
    assert old.lower() in json.dumps(problem).lower()


def test_named_contract_and_path_are_the_same(exports):
    folder, truth = exports
    entry = next(entry for entry in good_files(truth) if entry["contract"] == "walmart_search_item")
    _, by_name = harmonize(folder / entry["file"], "--contract", "walmart_search_item")
    _, by_path = harmonize(folder / entry["file"], "--contract", "config/mappings/walmart_search_item.yaml")
    assert by_name["totals"] == by_path["totals"]
