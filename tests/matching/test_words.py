"""Headers as words, windows and units; what values say; what columns say of each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harmonization.core.matching.arithmetic import agreement, looks_like_micros
from harmonization.core.matching.embedder import SHIPPED, WIDTH, key_of, read_vectors, write_vectors
from harmonization.core.matching.evidence import has_check_digit, profile, read_number
from harmonization.core.matching.lexicon import lexicon
from harmonization.core.matching.shipped_vectors import needed
from harmonization.core.matching.words import read_header


@pytest.mark.parametrize(
    ("header", "phrase", "click", "view", "unit"),
    [
        ("attributedSalesSameSku14d", "attributed sale same sku", 14, None, None),
        ("14 Day Total Sales (₹)", "total sale", 14, None, "INR"),
        ("ACoS", "acos", None, None, None),
        ("Click-Thru Rate (CTR)", "click thru rate ctr", None, None, None),
        ("_1_d_view", "view", None, 1, None),
        ("purchases 7d click 1d view", "purchase click view", 7, 1, None),
        ("salesDays30", "sale", 30, None, None),
        ("Conversions (24 hours)", "conversion", 1, None, None),
        ("adspend", "ad spend", None, None, None),
        ("Spend (%)", "spend", None, None, "%"),
        ("video_p25_views", "video p 25 view", None, None, None),
        ("9999 days", "9999 day", None, None, None),
    ],
)
def test_header_words(header: str, phrase: str, click: int | None, view: int | None, unit: str | None) -> None:
    words = read_header(header, lexicon().words)
    assert (words.phrase, words.click_days, words.view_days, words.unit) == (phrase, click, view, unit)


def test_dotted_names_are_paths() -> None:
    words = read_header("metrics.cost_micros")
    assert (words.prefix, words.words) == (("metric",), ("cost", "micros"))


def test_a_network_s_own_word_is_forgotten_with_it() -> None:
    assert ("ad", "shown") in lexicon().phrases
    assert ("ad", "shown") not in lexicon(["walmart"]).phrases
    # Two networks are known to say so: one of them withheld, the other still does.
    assert ("ad", "set") in lexicon(["meta"]).phrases
    assert ("ad", "set") not in lexicon(["meta", "criteo"]).phrases


@pytest.mark.parametrize(
    ("cell", "number"),
    [("1,204", 1204.0), ("$6.0", 6.0), ("Rs.201.68", 201.68), ("₹1,23,456.70", 123456.7), ("(12.00)", -12.0)],
)
def test_numbers_as_networks_write_them(cell: str, number: float) -> None:
    assert read_number(cell) == pytest.approx(number)


@pytest.mark.parametrize("cell", ["chips", "2024-05-01", "B07XYZ1234", "", "1.2.3.4", "7-day"])
def test_what_is_no_number(cell: str) -> None:
    assert np.isnan(read_number(cell))


def test_decimal_comma_is_told_by_cells_that_can_only_be_read_so() -> None:
    seen = profile(["1.204,50", "12,5", "3"])
    assert (seen.decimal_comma, seen.decimal_point) == (2, 0)
    assert seen.numbers.tolist() == [1204.5, 12.5, 3.0]


def test_check_digit() -> None:
    assert has_check_digit("00036000291452")
    assert not has_check_digit("00036000291453")
    assert not has_check_digit("00000000000000")


def test_date_formats_that_read_every_cell() -> None:
    assert profile(["05/06/2024", "06/07/2024"]).dates == ("%m/%d/%Y", "%d/%m/%Y")
    assert profile(["05/06/2024", "06/27/2024"]).dates == ("%m/%d/%Y",)
    assert profile(["2024-05-01 00:00:00"]).dates == ("%Y-%m-%d",)
    assert profile(["1714521600000", "1714525200000"]).epoch == 13


def test_a_long_cell_costs_nothing() -> None:
    assert profile(["1," * 100_000, "x" * 1_000_000]).numeric == 0.0


def test_quotients() -> None:
    known = {"clicks": [np.array([20.0, 1.0, 2.0])], "impressions": [np.array([1204.0, 310.0, 88.0])]}
    plain = agreement("reported_ctr", np.array([0.0166, 0.0032, 0.0227]), known)
    percent = agreement("reported_ctr", np.array([1.66, 0.32, 2.27]), known)
    assert plain is not None
    assert percent is not None
    assert (plain.scale, percent.scale) == ("as is", "percent")
    assert agreement("reported_ctr", np.array([0.5, 0.1, 0.9]), known) is None


def test_micros_by_magnitude() -> None:
    clicks = [np.array([10.0, 12.0])]
    assert looks_like_micros(np.array([8_400_000.0, 9_000_000.0]), clicks, [])
    assert not looks_like_micros(np.array([8.0, 9.0]), clicks, [])


def test_the_shipped_vectors_are_those_of_the_lexicon_and_of_rmis() -> None:
    shipped = read_vectors(SHIPPED)
    assert [text for text in needed() if key_of(text) not in shipped] == []


def test_vectors_are_kept_and_a_cut_file_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "kept.npz"
    write_vectors(path, {"a": np.full(WIDTH, 0.25, dtype=np.float32)})
    assert read_vectors(path)["a"].tolist() == [0.25] * WIDTH
    path.write_bytes(path.read_bytes()[:200])
    assert read_vectors(path) == {}
