"""Borders, tiles and lookups of the geography that ships."""

import pytest

from measurement.core.geography import (
    STATES,
    InvalidCrosswalk,
    read_crosswalk,
    state_of,
    state_of_county,
    state_of_zip3,
    touching,
)


def test_fifty_states_and_the_district():
    assert len(STATES) == 51
    assert len({state.fips for state in STATES.values()}) == 51
    assert [state.name for state in STATES.values()] == sorted(state.name for state in STATES.values())


def test_borders_are_mutual():
    for code, state in STATES.items():
        assert all(code in STATES[other].neighbours for other in state.neighbours), code
        assert code not in state.neighbours


def test_contiguous_states_and_district_have_the_published_107_borders():
    """Knuth's graph of the contiguous United States: 49 vertices, 107 edges, connected."""
    assert sum(len(state.neighbours) for state in STATES.values()) == 2 * 107
    reached, ahead = {"ME"}, ["ME"]
    while ahead:
        new = set(STATES[ahead.pop()].neighbours) - reached
        reached |= new
        ahead.extend(new)
    assert set(STATES) - reached == {"AK", "HI"}


def test_degrees_that_are_known():
    degrees = {code: len(state.neighbours) for code, state in STATES.items()}
    assert (degrees["MO"], degrees["TN"], degrees["ME"], degrees["CO"]) == (8, 8, 1, 6)


def test_no_two_states_share_a_tile():
    tiles = {(state.column, state.row) for state in STATES.values()}
    assert len(tiles) == 51
    assert all(0 <= column <= 10 and 0 <= row <= 7 for column, row in tiles)


@pytest.mark.parametrize("word", ["Texas", "texas", " TEXAS ", "tx", "US-TX"])
def test_state_by_any_of_its_names(word):
    assert state_of(word) == "TX"


def test_unknown_state_is_none():
    assert state_of("chicago") is None


@pytest.mark.parametrize(
    ("prefix", "code"),
    [("606", "IL"), ("60614", "IL"), ("10001", "NY"), ("055", "MA"), ("201", "VA"), ("885", "TX"), ("96813", "HI")],
)
def test_state_of_zip(prefix, code):
    assert state_of_zip3(prefix) == code


@pytest.mark.parametrize("prefix", ["", "60", "606x", "006", "340", "6061"])
def test_zip_outside_the_states(prefix):
    assert state_of_zip3(prefix) is None


def test_state_of_county():
    assert state_of_county("17031") == "IL"
    assert state_of_county("72001") is None
    assert state_of_county("1703") is None


def test_states_touch_by_name_or_code():
    assert touching(["Ohio", "PA", "texas"]) == {frozenset({"Ohio", "PA"})}


def test_crosswalk_puts_markets_next_to_each_other():
    regions = read_crosswalk(b"Unit,Region,note\nchicago,IL,x\nmilwaukee,Wisconsin,\ndallas,TX,\nfort worth,TX,\n")
    assert touching(["Chicago", "milwaukee", "dallas", "fort worth", "nowhere"], regions) == {
        frozenset({"Chicago", "milwaukee"}),
        frozenset({"dallas", "fort worth"}),
    }


def test_regions_that_are_no_states_touch_within_themselves_only():
    assert touching(["a", "b", "c"], {"a": "North", "b": "north", "c": "South"}) == {frozenset({"a", "b"})}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"unit,where\na,TX\n", "no column 'region'"),
        (b"unit,region\na,\n", "missing"),
        (b"unit,region\na\n", "missing"),
        (b"unit,region\na,TX\nA,OH\n", "lies in 'TX' and in 'OH'"),
        (b"unit,region\n", "no rows"),
        (b"", "no column"),
        (b"unit,region\n\xff,TX\n", "not UTF-8"),
    ],
)
def test_crosswalk_that_cannot_be_used(content, words):
    with pytest.raises(InvalidCrosswalk, match=words):
        read_crosswalk(content)


def test_crosswalk_from_a_spreadsheet_has_a_mark_and_blank_lines():
    assert read_crosswalk(b"\xef\xbb\xbfunit,region\r\n\r\na,TX\r\na,tx\r\n") == {"a": "TX"}
