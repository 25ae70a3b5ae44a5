"""However reports overlap, a day of an account is told once, and no row is lost without a word."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.core.coverage import Slice, choose_reports
from metrics.core.request import Period

FIRST = date(2026, 2, 2)
PERIOD = Period(FIRST, FIRST + timedelta(days=20))


@st.composite
def slices(draw: st.DrawFn) -> list[Slice]:
    """Loads of up to three reports of two accounts, with periods of any length around the one asked for."""
    made = []
    for number in range(draw(st.integers(0, 14))):
        start = FIRST + timedelta(days=draw(st.integers(-8, 24)))
        report = draw(st.sampled_from(["product", "term", "placement"]))
        made.append(
            Slice(
                load_id=f"load {draw(st.integers(0, 3))} of {report}",
                account_id=draw(st.sampled_from(["east", "west"])),
                account="an account",
                network="amazon",
                report=report,
                rank={"product": 1, "term": 2, "placement": 3}[report],
                all_impressions=True,
                start=start,
                end=start + timedelta(days=draw(st.sampled_from([0, 0, 0, 2, 6]))),
                currency="USD",
                rows=number + 1,
                spend=Decimal(number),
                present=(report == "term",),
            )
        )
    # An account has its own loads, as in the product.
    return [
        Slice(**{name: getattr(item, name) for name in Slice.__slots__} | {"load_id": item.account_id + item.load_id})
        for item in made
    ]


@settings(max_examples=300, deadline=None)
@given(slices())
def test_a_day_of_an_account_is_told_by_one_report(found: list[Slice]) -> None:
    coverage = choose_reports(found, PERIOD, ["search_term"])
    inside = [item for item in found if item.start >= PERIOD.start and item.end <= PERIOD.end]
    kept = [item for item in inside if item.key not in coverage.dropped]
    told: defaultdict[tuple[str, date], set[str]] = defaultdict(set)
    for item in kept:
        for offset in range((item.end - item.start).days + 1):
            told[item.account_id, item.start + timedelta(days=offset)].add(item.report)
    assert all(len(reports) == 1 for reports in told.values())


@settings(max_examples=300, deadline=None)
@given(slices())
def test_rows_read_and_rows_left_out_are_all_rows_of_the_period(found: list[Slice]) -> None:
    coverage = choose_reports(found, PERIOD, ["search_term"])
    inside = sum(item.rows for item in found if item.start >= PERIOD.start and item.end <= PERIOD.end)
    repeats = sum(item.rows for item in coverage.left_out if item.reason == "repeats")
    assert sum(item.rows for item in coverage.used) + repeats == inside


def test_the_report_that_tells_the_dimension_comes_first() -> None:
    day = {"account_id": "east", "account": "East", "network": "amazon", "all_impressions": True, "currency": "USD"}
    day |= {"start": FIRST, "end": FIRST, "rows": 1, "spend": Decimal(1)}
    product = Slice(load_id="a", report="product", rank=1, present=(False,), **day)  # type: ignore[arg-type]
    term = Slice(load_id="b", report="term", rank=2, present=(True,), **day)  # type: ignore[arg-type]
    assert [item.report for item in choose_reports([product, term], PERIOD, ["search_term"]).used] == ["term"]
