"""Geometry of the drawings that the server makes."""

import re

import pytest

from rmn_site.ui import drawings


def test_sparkline_spans_the_box_and_puts_the_largest_on_top():
    drawn = drawings.sparkline([1, 3, 2])
    assert drawn.line == "M0.0 25.0L50.0 3.0L100.0 14.0"
    assert drawn.area == drawn.line + "L100.0 28L0.0 28Z"
    assert drawn.compare == ""


def test_sparkline_breaks_at_what_is_not_known():
    drawn = drawings.sparkline([1, 2, None, 2, 1])
    assert drawn.line.count("M") == 2
    assert "50.0" not in drawn.line


def test_sparkline_shows_a_point_that_stands_alone():
    drawn = drawings.sparkline([None, 5, None])
    assert drawn.line == "M25.0 25.0L75.0 25.0"


def test_sparkline_shares_its_scale_with_the_comparison():
    drawn = drawings.sparkline([5, 5], compare=[0, 10])
    assert re.findall(r" (\d+\.\d)", drawn.line) == ["14.0", "14.0"]
    assert drawn.compare == "M0.0 25.0L100.0 3.0"


def test_sparkline_of_nothing_is_nothing():
    assert drawings.sparkline([]) is None
    assert drawings.sparkline([None, None], compare=[1, 2]) is None


def test_interval_places_its_values_on_the_shared_scale():
    made = drawings.interval(1.2, 1.5, 1.8, maximum=2.4)
    assert (made.low, made.middle, made.high, made.reference) == (48.0, 60.0, 72.0, 40.0)


def test_interval_is_clipped_and_leaves_out_a_reference_off_the_scale():
    made = drawings.interval(-1, 2, 9, maximum=3, reference=4)
    assert (made.low, made.high, made.reference) == (0.0, 96.0, None)


def test_interval_refuses_values_out_of_order():
    with pytest.raises(ValueError, match="low <= middle <= high"):
        drawings.interval(2, 1, 3, maximum=4)


def test_bar_starts_at_zero():
    assert drawings.bar(50, maximum=200) == drawings.Bar(0.0, 25.0, None)
    assert drawings.bar(-50, minimum=-100, maximum=100) == drawings.Bar(25.0, 25.0, 50.0)
    assert drawings.bar(50, minimum=-100, maximum=100) == drawings.Bar(50.0, 25.0, 50.0)


def test_bar_refuses_an_empty_scale():
    with pytest.raises(ValueError, match="scale of a bar is empty"):
        drawings.bar(1, maximum=0)
