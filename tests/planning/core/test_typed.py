"""Typed allocations: how amounts of nodes are split, and which terms an allocation breaks."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from optimization.core.linear import fair_part, ratio_of, share_of
from optimization.core.problem import BudgetProblem, Cell, Curve, GlobalConstraint, GlobalKind, NodeBound
from optimization.core.responses import Family
from planning.core.typed import Typed, judge, line_breaks, spread_typed
from planning.core.typed_file import read_table, read_typed
from tenants.core.problems import InvalidInput

LINES = {
    "a1": ("search", "Amazon", "top", "all", "SALT"),
    "a2": ("search", "Amazon", "top", "all", "DILL"),
    "a3": ("display", "Amazon", "home", "all", "SALT"),
    "w1": ("search", "Walmart", "top", "all", "SALT"),
}
NOW = {"a1": Decimal(300), "a2": Decimal(100), "a3": Decimal(50), "w1": Decimal(50)}


def problem(*, empty: tuple[str, ...] = (), **options) -> BudgetProblem:
    cells = [
        Cell(id=name, path=path, curve=Curve(Family.LOG, 100.0 * (at + 1), 50.0), out_of_stock=name in empty,
             max_spend=options.get("most", {}).get(name))
        for at, (name, path) in enumerate(LINES.items())
    ]  # fmt: skip
    return BudgetProblem.of(
        cells, options.get("budget", 500.0), node_bounds=options.get("bounds", ()),
        global_constraints=options.get("limits", ()),
    )  # fmt: skip


def spread(entries: dict[str, str], split="as_now", rest=NOW, **options) -> dict[str, str]:
    typed = read_typed([{"scope": scope, "amount": amount} for scope, amount in entries.items()])
    found = spread_typed(typed, problem(**options), now=NOW, rest=rest, split=split)
    return {name: str(amount) for name, amount in found.items()}


def test_a_node_is_split_as_its_lines_spend_now_to_the_cent():
    found = spread({"search > Amazon": "1000.01"})
    assert found == {"a1": "750.01", "a2": "250.00", "a3": "50", "w1": "50"}


def test_a_scope_without_a_channel_reaches_every_channel():
    found = spread({"rmn=amazon": "900"})
    assert found == {"a1": "600.00", "a2": "200.00", "a3": "100.00", "w1": "50"}


def test_a_part_inside_a_node_is_placed_first():
    found = spread({"rmn=Amazon": "900", "channel=display/rmn=Amazon": "500"})
    assert found == {"a1": "300.00", "a2": "100.00", "a3": "500.00", "w1": "50"}


def test_lines_that_nothing_is_typed_for_keep_the_rest():
    assert spread({"rmn=Walmart": "70"}, rest={}) == {"a1": "0", "a2": "0", "a3": "0", "w1": "70.00"}


def test_a_node_without_spend_is_split_evenly_and_not_over_empty_shelves():
    typed = read_typed([{"path": ["search", "Amazon"], "amount": 100}])
    even = spread_typed(typed, problem(), now={}, rest={})
    assert (even["a1"], even["a2"]) == (Decimal("50.00"), Decimal("50.00"))
    assert spread({"search > Amazon": "100"}, empty=("a1",))["a2"] == "100.00"
    assert spread({"search > Amazon": "100"}, empty=("a1", "a2"))["a1"] == "75.00"


def test_the_best_split_sells_at_least_as_much_as_any_other():
    typed = read_typed([{"path": ["search", "Amazon"], "amount": 400}])
    asked = problem()

    def sold(split):
        spend = spread_typed(typed, asked, now=NOW, rest=NOW, split=split)
        return judge(asked, np.array([float(spend[name]) for name in asked.ids])).total_sales

    grid = [judge(asked, np.array([x, 400.0 - x, 50.0, 50.0])).total_sales for x in np.linspace(0.0, 400.0, 401)]
    assert sold("best") == pytest.approx(max(grid), rel=1e-4)
    assert sold("best") > sold("as_now")


@pytest.mark.parametrize(
    ("entries", "word"),
    [
        ({"rmn=Target": "1"}, "No line lies in"),
        ({"rmn=Amazon": "1", "rmn=amazon": "2"}, "two amounts"),
        ({"channel=search": "1", "rmn=Amazon": "2"}, "overlap"),
        ({"rmn=Amazon": "100", "channel=display": "200"}, "come to 200, not 100"),
        ({"rmn=Walmart": "100", "sku=": "1"}, "is no scope"),
        ({"rmn=Amazon": "-1"}, "not allowed"),
        ({"rmn=Amazon": "NaN"}, "not a number"),
        ({"rmn=Amazon": "1e12"}, "too large"),
        ({"rmn=Amazon": "0.001"}, "too many decimals"),
        ({"shop=Amazon": "1"}, "is no scope"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(entries, word):
    with pytest.raises(InvalidInput, match=word) as caught:
        spread(entries)
    assert caught.value.where.startswith("allocation[")


def test_a_part_that_is_typed_whole_must_come_to_the_whole():
    with pytest.raises(InvalidInput, match="come to 30, not 100"):
        spread({"search > Amazon": "100", "search > Amazon > top > all > SALT": "10",
                "search > Amazon > top > all > DILL": "20"})  # fmt: skip


def test_every_broken_term_is_named():
    asked = problem(
        empty=("w1",), most={"a2": 100.0}, budget=500.0,
        bounds=[NodeBound(("search",), min_spend=50.0, max_spend=400.0), NodeBound(("display",), min_spend=60.0)],
        limits=[GlobalConstraint(GlobalKind.MIN_ROAS, 5.0)],
    )  # fmt: skip
    judged = judge(asked, np.array([300.0, 200.0, 20.0, 40.0]))
    assert [one.words for one in judged.broken] == [
        "The budget", "search at most", "display at least", "No spend on lines without stock",
        "The most of single lines", "ROAS at least",
    ]  # fmt: skip
    assert judged.sales[3] == 0.0
    assert line_breaks(asked, judged.spend) == ["", "above its most", "", "out of stock"]
    kept = judge(asked, np.array([300.0, 100.0, 100.0, 0.0]))
    assert [one.words for one in kept.broken] == ["ROAS at least"]


def test_a_broken_share_ratio_or_part_is_told_as_such():
    asked = replace(
        problem(budget=1000.0),
        linear=(
            share_of(("search", "Amazon"), (), 0.5),
            ratio_of(("search", "Amazon"), ("display",), 2.0),
            fair_part(("display",), (), 0.9, 0.5),
        ),
    )
    judged = judge(asked, np.array([300.0, 200.0, 100.0, 0.0]))
    assert [(one.allowed, one.found, one.ratio) for one in judged.broken] == [
        (0.5, pytest.approx(5 / 6), True), (2.0, pytest.approx(5.0), True), (0.9, pytest.approx(1 / 3), True),
    ]  # fmt: skip
    assert judged.broken[1].words == "search > Amazon at most 2 times display"


def test_an_answer_rounded_to_cents_breaks_nothing():
    asked = problem(bounds=[NodeBound(("search", "Amazon"), max_spend=100.0)], budget=200.0)
    assert not judge(asked, np.array([50.01, 50.0, 50.0, 49.99])).broken


def test_tables_are_read_as_people_paste_them():
    plain = read_table("search > Amazon, 1,200.50\nrmn=Walmart\t3".replace("\t", ","))
    assert plain == [{"scope": "search > Amazon", "amount": "1,200.50"}, {"scope": "rmn=Walmart", "amount": "3"}]
    exported = read_table(
        "\ufeffRow,Channel,Retailer,Placement,Audience,SKU,Product,Now,Proposed\r\n"
        "line,search,Amazon,top,all,SALT,x,1.00,2.50\r\n"
        "Experiment reserve,,,,,,,0,5\r\ntotal,,,,,,,1.00,7.50\r\n\r\n# x: y\r\n"
    )
    assert [(one.scope["sku"], one.amount) for one in read_typed(exported)] == [("SALT", Decimal("2.50"))]
    tabs = read_table("Scope\tAmount\nsearch > Amazon\t$5")
    assert read_typed(tabs)[0].amount == Decimal(5)
    for text, word in (("", "empty"), ("rmn=Amazon", "no amount"), ("scope,amount\n", "no rows")):
        with pytest.raises(InvalidInput, match=word):
            read_table(text)


def test_typed_scopes_say_themselves():
    assert Typed(scope={"rmn": "Amazon"}, amount=Decimal(1), where="").text == "Amazon"
