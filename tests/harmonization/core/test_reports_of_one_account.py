"""Two reports of one account, as the generator writes them: its known differences are told apart from errors."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from harmonization.core.engine import harmonize_file
from harmonization.core.library import shipped_contracts
from harmonization.core.load_context import LoadContext
from harmonization.core.reconciliation import Compared, Side, compare, spans_of
from tests.demo.core.reading import read, total
from tests.demo.core.samples import Sample, make_sample

PRODUCT, TERM = "amazon_sp_advertised_product", "amazon_sp_search_term"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return make_sample(tmp_path_factory.mktemp("reports"), profile="acme", scale=0.1)


@pytest.fixture(scope="module")
def compared(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Compared]:
    sides = [_side(sample, name, tmp_path_factory.mktemp(name), clicked_only=name == TERM) for name in (PRODUCT, TERM)]
    return {one.metric: one for one in compare(*sides)}


def _side(sample: Sample, name: str, folder: Path, *, clicked_only: bool) -> Side:
    contract, frames, outcomes = shipped_contracts()[name], [], {}
    for place, entry in enumerate(sample.files(name)):
        out = folder / str(place)
        context = LoadContext(load_id=f"{name}-{place}", currency="USD")
        report = harmonize_file(sample.path(entry["file"]), contract, out_dir=out, context=context)
        assert report.events_path is not None
        frames.append(pl.scan_parquet(report.events_path))
        outcomes = dict(report.default_attribution)
    spans = spans_of(pl.concat(frames, how="diagonal"), outcomes=outcomes)
    return Side(report=name, spans=spans, outcomes=outcomes, clicked_only=clicked_only, timezone="America/Los_Angeles")


def test_weeks_of_one_report_are_compared_with_days_of_the_other(compared, sample):
    (term,) = sample.files(TERM)
    for one in compared.values():
        assert (str(one.first_day), str(one.last_day)) == (term["first_day"], term["last_day"])


@pytest.mark.parametrize("metric", ["clicks", "sales", "orders", "units"])
def test_what_both_tell_agrees_to_the_cent(compared, metric):
    assert (compared[metric].verdict, compared[metric].difference) == ("agrees", 0)


def test_half_of_the_impressions_are_explained(compared):
    found = compared["impressions"]
    assert (found.verdict, found.explanation) == ("explained", "clicked_only")
    assert Decimal("0.3") < found.total_b / found.total_a < Decimal("0.7")


def test_credits_for_invalid_clicks_stay_within_tolerance(compared, sample):
    found = compared["spend"]
    assert found.verdict == "agrees"
    assert Decimal("-0.004") < (found.share or Decimal(0)) < 0
    (term,) = sample.files(TERM)
    rows: list[dict[str, Any]] = read(sample.path(term["file"]))[1]
    assert found.total_b == total(rows, "Spend")
