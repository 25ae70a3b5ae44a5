"""Shortened, joined and prefixed headers are read as the whole words."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from benches._label_scores import Labels, Score, read_labels, score
from benches.matching import answers, matched_without_itself
from harmonization.core.matching.abbreviations import expand
from harmonization.core.matching.embedder import Embedder
from harmonization.core.matching.lexicon import lexicon
from harmonization.core.matching.units import find_currency
from harmonization.core.matching.words import read_header
from tests.matching.conftest import DEV
from tests.matching.test_matching import propose_for, target_of


@pytest.mark.parametrize(
    ("short", "words"),
    [
        ("impr", "impression"), ("conv", "conversion"), ("qty", "quantity"), ("acct", "account"), ("pct", "percent"),
        ("kw", "keyword"), ("cmpgn", "campaign"), ("plcmt", "placement"), ("clk", "click"), ("spnd", "spend"),
        ("rtlr", "retailer"), ("freq", "frequency"), ("grp", "group"), ("interact", "interaction"),
    ],
)  # fmt: skip
def test_short_forms(short: str, words: str) -> None:
    assert expand(short) == (words,)


@pytest.mark.parametrize("word", ["zzz", "x", "art", "salmon", "qqq", "b2b"])
def test_what_is_no_short_form(word: str) -> None:
    assert expand(word) == ()


def test_a_dot_ends_a_word_that_was_cut() -> None:
    known = lexicon().words
    assert read_header("Impr.", known).words == ("impression",)
    assert read_header("Impr.Share", known).words == ("impression", "share")
    assert read_header("metrics.clicks").prefix == ("metric",)
    assert (expand("ke"), expand("ke", cut=True)) == ((), ("keyword",))


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("Impr.", "impressions"), ("Conv. value", "sales"), ("Cost / conv.", "reported_cpa"),
        ("Conv. value / cost", "reported_roas"), ("View-through conv.", "view_through_conversions"),
        ("Conv. value / click", None), ("adgrp_nm", "ad_group_name"), ("spend_amt", "spend"), ("qty_sold", "units"),
        ("newtobrandsales", "sales"), ("viewthroughconversions", "view_through_conversions"),
        ("Low-quality clicks", "invalid_clicks"), ("Avg. cost", None), ("VTR", None), ("biddedKeyword", "keyword"),
    ],
)  # fmt: skip
def test_short_headers(header: str, target: str | None) -> None:
    assert target_of(header) == target


@pytest.mark.parametrize(
    ("header", "windows"),
    [("purchases7dclick", (7, None)), ("14dsales", (14, None)), ("productPageViews14d", (14, None)),
     ("sales_7d_view", (None, 7))],
)  # fmt: skip
def test_windows_that_stick_to_words(header: str, windows: tuple[int | None, int | None]) -> None:
    words = read_header(header, lexicon().words)
    assert (words.click_days, words.view_days) == windows


def test_a_word_before_every_header_tells_nothing() -> None:
    bare = ["date", "campaign_id", "impressions", "clicks", "spend", "units_sold"]
    plain = [column.target for column in propose_for(dict.fromkeys(bare, ())).values()]
    for prefix in ("ads_", "fact__", "rpt."):
        told = propose_for(dict.fromkeys([prefix + header for header in bare], ()))
        assert [column.target for column in told.values()] == plain
    assert plain == ["period_start", "campaign_id", "impressions", "clicks", "spend", "units"]


def _cut(header: str) -> str:
    """Words of the trade as tables shorten them, joined by underscores."""
    short = {
        "impressions": "impr", "conversions": "conv", "average": "avg", "quantity": "qty", "campaign": "cmp",
        "account": "acct", "product": "prod", "name": "nm", "group": "grp", "category": "cat", "keyword": "kw",
        "currency": "curr", "clicks": "clks", "spend": "spnd", "attributed": "attr", "advertised": "adv",
    }  # fmt: skip
    return "_".join(short.get(word, word) for word in "".join(
        f"_{letter.lower()}" if letter.isupper() else letter for letter in header
    ).replace(" ", "_").strip("_").split("_") if word)  # fmt: skip


@pytest.mark.parametrize("written", [str.upper, str.title, _cut])
def test_the_way_that_headers_are_written_changes_little(minilm: Embedder, written: object) -> None:
    """Upper case, capitals and short forms of the labelled reports, each network left out."""
    assert callable(written)
    total = Score()
    for labels in read_labels(DEV):
        if labels.network in ("amazon", "google"):
            # Headers in capitals of their own cannot be told apart once all letters are.
            continue
        headers: Sequence[str] = [str(written(header)) for header in labels.headers]
        if len(set(headers)) < len(headers):
            continue
        columns = tuple({**column, "header": h} for column, h in zip(labels.columns, headers, strict=True))
        changed = Labels(labels.name, labels.network, labels.currency, columns)
        matched = matched_without_itself(changed, minilm)
        currency = find_currency(matched.decisions)
        total.add(score(changed, answers(matched), currency.how, currency.code))
    assert total.columns >= 100
    assert float(total.as_dict()["field_f1"]) >= 0.93, total.as_dict()
