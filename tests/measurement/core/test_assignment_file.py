"""Assignments as CSV files, there and back."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from measurement.core.assignment import Assigned, Assignment
from measurement.core.assignment_file import InvalidAssignmentFile, read_assignment_file, write_assignment
from measurement.core.stratified import draw_pairs, match_pairs
from tests.measurement.core.histories import history


def test_a_draw_comes_back_whole():
    drawn = draw_pairs(match_pairs(history(units=9)), seed=3)
    assert read_assignment_file(write_assignment(drawn)).rows == drawn.rows


# The first draw builds the table of characters, which takes seconds where others work, too.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8),
        min_size=1,
        max_size=6,
        unique_by=str.casefold,
    )
)
def test_any_name_comes_back(names):
    rows = tuple(Assigned(unit=name, group="control", stratum=name) for name in names)
    assert read_assignment_file(write_assignment(Assignment(rows=rows))).rows == rows


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@x", "|cmd", "%x", "＝1", "'=1", "'quoted'"])
def test_no_cell_begins_as_a_formula(name):
    written = write_assignment(Assignment(rows=(Assigned(unit=name, group="treated", cell=name),)))
    row = written.decode("utf-8-sig").splitlines()[1]
    assert row.startswith("'")
    assert read_assignment_file(written).rows[0].unit == name


def test_spreadsheets_read_it_as_unicode():
    assert write_assignment(Assignment(rows=(Assigned(unit="Zürich", group="control"),))).startswith(b"\xef\xbb\xbf")


def test_two_columns_are_enough_in_any_case():
    read = read_assignment_file(b"Group,UNIT\nTreated,a\n\ncontrol,b\n")
    assert (read.of("treated"), read.of("control")) == (("a",), ("b",))


@pytest.mark.parametrize(
    ("content", "where", "words"),
    [
        (b"unit\na\n", "line 1", "no column 'group'"),
        (b"", "line 1", "no column 'unit'"),
        (b"unit,group\n,treated\n", "line 2", "no name"),
        (b"unit,group\na,test\n", "line 2", "'test' is no group"),
        (b"unit,group\na,treated\nA,control\n", "line 3", "line 2 already"),
        (b"unit,group\n", "", "assigns no unit"),
        (b"unit,group\n\xff,treated\n", "", "not UTF-8"),
        (b"unit,group\na\n", "line 2", "'' is no group"),
    ],
)
def test_what_is_no_assignment(content, where, words):
    with pytest.raises(InvalidAssignmentFile, match=words) as problem:
        read_assignment_file(content)
    assert problem.value.where == where
