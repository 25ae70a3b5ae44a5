"""Attribution columns carry every qualifier and give it back."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmonization.core.rmis import (
    COLUMNS,
    EVENTS,
    VOCABULARIES,
    Attribution,
    Channel,
    Match,
    Metric,
    Model,
    Ntb,
    Touch,
)

windows = st.none() | st.integers(1, 365)
attributions = st.builds(
    Attribution,
    metric=st.sampled_from(get_args(Metric)),
    click_days=windows,
    view_days=windows,
    touch=st.sampled_from(get_args(Touch)),
    match=st.sampled_from(get_args(Match)),
    channel=st.sampled_from(get_args(Channel)),
    ntb=st.sampled_from(get_args(Ntb)),
    model=st.sampled_from(get_args(Model)),
    view_match=st.none() | st.sampled_from(get_args(Match)),
)


@given(attributions)
def test_column_reads_back(attribution: Attribution) -> None:
    assert Attribution.parse(attribution.column) == attribution


@given(attributions, attributions)
def test_two_meanings_never_share_a_column(one: Attribution, other: Attribution) -> None:
    assert (one.column == other.column) == (one == other)


def test_the_name_is_the_documented_one() -> None:
    sales = Attribution("sales", 14, None, "click", "same_sku")
    assert sales.column == "att__sales__c14__vx__click__same_sku__all__all__last_touch"
    assert sales.label == "sales, 14-day click, same_sku"


def test_views_under_another_match_are_told() -> None:
    both = Attribution("sales", 30, 1, "both", "category", view_match="same_sku")
    assert both.column.endswith("__c30__v1__both__category__all__all__last_touch__vm_same_sku")
    assert both.qualifiers()["view_match"] == "same_sku"


@pytest.mark.parametrize(
    "name",
    [
        "spend",
        "att__sales__c14__vx__click__same_sku__all__all",
        "att__profit__c14__vx__click__same_sku__all__all__last_touch",
        "att__sales__v14__cx__click__same_sku__all__all__last_touch",
        "att__sales__c0__vx__click__same_sku__all__all__last_touch",
        "att__sales__c14__vx__click__everything__all__all__last_touch",
        "att__sales__c14__vx__click__same_sku__all__all__last_touch__xx_halo",
        "att__sales__c14__vx__click__same_sku__all__all__last_touch__vm_everything",
    ],
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^'(att|spend)"):
        Attribution.parse(name)


def test_the_schema_names_each_column_once_and_types_the_vocabularies_as_text() -> None:
    assert len(COLUMNS) == len(EVENTS)
    assert all(COLUMNS[name].unit == "text" for name in VOCABULARIES)
    assert all(len(set(values)) == len(values) for values in VOCABULARIES.values())
