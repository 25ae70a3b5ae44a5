"""Scopes as tools and files write them."""

from __future__ import annotations

import re

import pytest

from planning.core.paths import matches, read_scope, scope_pattern
from tenants.core.problems import InvalidInput


def test_a_slash_inside_a_name_is_written_twice():
    scope = "channel=onsite search/rmn=Boots//UK/sku=A//1//2"
    assert re.fullmatch(scope_pattern(), scope)
    told = read_scope(scope)
    assert told == {"channel": "onsite search", "rmn": "Boots/UK", "sku": "A/1/2"}
    assert matches(told, ("onsite search", "Boots/UK", "top", "all", "a/1/2"))


@pytest.mark.parametrize("scope", ["rmn=walmart\n", "rmn=wal\tmart", "rmn=", "rmn", "shop=walmart", "rmn=a/b", ""])
def test_what_is_no_scope_is_refused(scope):
    assert not re.fullmatch(scope_pattern(), scope)
    with pytest.raises(InvalidInput):
        read_scope(scope)


def test_a_tool_may_take_more_levels():
    assert re.fullmatch(scope_pattern("brand"), "brand=chips/rmn=walmart")
    assert not re.fullmatch(scope_pattern(), "brand=chips/rmn=walmart")
