"""What cannot be met is answered with the smallest conflict, what is missing, and what would do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimization.core.conflicts import Member, bounds_can_be_met, find_bound_conflict, relaxed, without
from optimization.core.limit_conflicts import all_members, limits_can_be_met
from optimization.core.problem import BudgetProblem, Cell, Curve, GlobalConstraint, GlobalKind, NodeBound
from optimization.core.responses import Family
from optimization.core.solve import solve_budget
from tests.optimization.core.casts import cell


def tangled(seed: int) -> BudgetProblem:
    """Bounds drawn without care: most such problems cannot be met."""
    rng = np.random.default_rng(seed)
    cells = [
        Cell(
            f"c{i}",
            (f"ch{i % 2}", f"r{i % 3}", f"s{i}"),
            Curve(Family.LOG, 100.0, 50.0),
            min_spend=float(rng.choice([0.0, 10.0, 25.0])),
            max_spend=float(rng.uniform(25.0, 80.0)),
            out_of_stock=bool(rng.random() < 0.2),
        )
        for i in range(12)
    ]
    bounds = []
    for path in sorted({one.path[:depth] for one in cells for depth in (1, 2)}):
        low = float(rng.uniform(0.0, 120.0)) if rng.random() < 0.5 else None
        high = float(rng.uniform(20.0, 200.0)) if rng.random() < 0.5 else None
        bounds.append(NodeBound(path, low, high))
    return BudgetProblem.of(cells, float(rng.uniform(80.0, 400.0)), node_bounds=bounds)


def only(problem: BudgetProblem, members: list) -> BudgetProblem:
    """The problem with no other constraint than `members`."""
    kept = {(m.kind, m.path, m.cell) for m in members}
    cells = [
        replace(
            one,
            min_spend=one.min_spend if ("min_spend", one.path, one.id) in kept else 0.0,
            max_spend=one.max_spend if ("max_spend", one.path, one.id) in kept else None,
        )
        for one in problem.cells
    ]
    bounds = [
        NodeBound(
            b.path,
            b.min_spend if ("min_spend", b.path, None) in kept else None,
            b.max_spend if ("max_spend", b.path, None) in kept else None,
        )
        for b in problem.node_bounds
    ]
    total = problem.total_budget if ("max_spend", (), None) in kept else 1e9
    return BudgetProblem.of(cells, total, node_bounds=bounds)


@pytest.mark.parametrize("seed", range(60))
def test_a_conflict_is_minimal_and_its_relaxations_work(seed: int) -> None:
    problem = tangled(seed)
    conflict = find_bound_conflict(problem)
    if conflict is None:
        assert solve_budget(problem).feasible
        return
    members = list(conflict.members)
    assert not bounds_can_be_met(only(problem, members))
    for member in members:
        rest = [one for one in members if one is not member]
        assert bounds_can_be_met(only(problem, rest))
        assert bounds_can_be_met(without(problem, [member])) is member.restores
    for member in members:
        if conflict.further or member.needed is None:
            continue
        if bounds_can_be_met(relaxed(problem, member, member.needed)):
            short = member.needed + (1.0 if member.kind == "min_spend" else -1.0) * 0.01 * conflict.shortfall
            assert not bounds_can_be_met(relaxed(problem, member, short))


def test_a_floor_that_switches_on_a_commitment_is_told_as_it_was_asked() -> None:
    lines = [
        cell("alice", 900.0, 100.0, path=("ch",), min_spend=10.0, min_spend_if_active=100.0),
        cell("bob", 900.0, 100.0, path=("ch",), min_spend=30.0),
    ]
    problem = BudgetProblem.of(lines, 500.0, node_bounds=[NodeBound(("ch",), None, 110.0)])
    conflict = find_bound_conflict(problem)
    assert conflict is not None
    told = {(one.kind, one.cell): (one.value, one.needed, one.restores) for one in conflict.members}
    assert told == {
        ("max_spend", None): (110.0, 130.0, True),
        ("min_spend", "alice"): (10.0, 0.0, True),
        ("min_spend_if_active", "alice"): (100.0, 80.0, True),
        ("min_spend", "bob"): (30.0, 10.0, True),
    }


@pytest.mark.parametrize("seed", range(30))
def test_commitments_are_members_only_where_they_count(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lines = [
        replace(
            cell(f"c{i}", 900.0, 100.0, path=("ch",)),
            min_spend=float(rng.choice([0.0, 5.0, 20.0])),
            min_spend_if_active=float(rng.choice([0.0, 10.0, 60.0])),
        )
        for i in range(5)
    ]
    problem = BudgetProblem.of(lines, float(rng.uniform(20.0, 150.0)))
    conflict = find_bound_conflict(problem)
    if conflict is None:
        assert solve_budget(problem).feasible
        return
    members = list(conflict.members)
    others = [one for one in all_members(problem) if _names(one) not in map(_names, members)]
    alone = without(problem, others)
    assert not bounds_can_be_met(alone)
    for member in members:
        assert bounds_can_be_met(without(alone, [member])), member
        if member.needed is not None:
            assert bounds_can_be_met(relaxed(problem, member, member.needed)), member


def _names(one: Member) -> tuple[str, tuple[str, ...], str | None]:
    return (one.kind, one.path, one.cell)


def test_floors_above_a_cap_name_only_what_is_needed() -> None:
    cells = [cell(name, 900.0, 100.0, path=("ch",)) for name in ("alice", "bob", "carol")]
    problem = BudgetProblem.of(
        cells,
        500.0,
        node_bounds=[
            NodeBound(("ch",), None, 100.0),
            NodeBound(("ch", "alice"), 80.0, None),
            NodeBound(("ch", "bob"), 60.0, None),
            NodeBound(("ch", "carol"), 5.0, None),
        ],
    )
    answer = solve_budget(problem).as_dict()
    assert answer["status"] == "infeasible"
    assert [tuple(m["path"]) for m in answer["minimal_conflict"]] == [("ch",), ("ch", "alice"), ("ch", "bob")]
    assert answer["shortfall"] == pytest.approx(45.0)
    assert [m["needed"] for m in answer["relaxations"]] == pytest.approx([145.0, 35.0, 15.0])
    assert all(m["restores"] for m in answer["relaxations"])


def test_a_floor_over_empty_shelves_stands_alone() -> None:
    cells = [cell(name, 900.0, 100.0, path=("ch",), out_of_stock=True) for name in ("alice", "bob")]
    conflict = find_bound_conflict(BudgetProblem.of(cells, 500.0, node_bounds=[NodeBound(("ch",), 50.0, None)]))
    assert conflict is not None
    assert [(one.kind, one.needed) for one in conflict.members] == [("min_spend", 0.0)]


def test_independent_conflicts_are_all_reported() -> None:
    cells = [cell(name, 900.0, 100.0, path=(name,), cap=10.0) for name in ("left", "right")]
    bounds = [NodeBound(("left",), 20.0, None), NodeBound(("right",), 30.0, None)]
    conflict = find_bound_conflict(BudgetProblem.of(cells, 500.0, node_bounds=bounds))
    assert conflict is not None
    assert [one.shortfall for one in (conflict, *conflict.further)] == [20.0, 10.0]


def test_an_unattainable_roas_names_the_floor_and_the_best_value() -> None:
    cells = [cell("good", 900.0, 100.0, cap=100.0), cell("bad", 100.0, 100.0, min_spend=300.0)]
    limit = GlobalConstraint(GlobalKind.MIN_ROAS, 4.0)
    problem = BudgetProblem.of(cells, 1000.0, global_constraints=[limit])
    solved = solve_budget(problem)
    assert solved.conflict is not None
    assert [(one.kind, one.cell) for one in solved.conflict.members] == [("min_roas", None), ("min_spend", "bad")]
    spend = np.linspace(0.0, 100.0, 100_001)
    roas = (900.0 * np.log1p(spend / 100.0) + 100.0 * np.log(4.0)) / (spend + 300.0)
    assert solved.conflict.best_attainable == pytest.approx(float(roas.max()), rel=1e-8)
    for member in solved.conflict.members:
        assert member.restores
        assert limits_can_be_met(without(problem, [member]))
        assert member.needed is not None
        assert limits_can_be_met(relaxed(problem, member, member.needed))
        tight = member.needed * (1.0 + 1e-4)
        assert not limits_can_be_met(relaxed(problem, member, tight))


def test_an_unattainable_cpa_says_what_is_attainable() -> None:
    cells = [cell("only", 100.0, 100.0, min_spend=300.0)]
    problem = BudgetProblem.of(cells, 1000.0, global_constraints=[GlobalConstraint(GlobalKind.MAX_CPA, 10.0)])
    answer = solve_budget(problem).as_dict()
    assert {m["kind"] for m in answer["minimal_conflict"]} == {"max_cpa", "min_spend"}
    assert {"scope", "kind", "value"} <= set(answer["minimal_conflict"][0])
    assert answer["best_attainable"] == pytest.approx(300.0 / (100.0 * np.log(4.0) / 20.0), rel=1e-8)


def test_with_curves_that_jump_the_best_return_is_said_to_be_a_bound() -> None:
    """The envelope of an S-curve is a line from zero: it promises its best return at any spend, the curve at one."""
    bent = Curve(Family.HILL, 900.0, 100.0, 2.0)
    limit = (GlobalConstraint(GlobalKind.MIN_ROAS, 4.4),)
    floor = [NodeBound(("ch",), 30.0, 60.0)]
    for curve, bound in ((bent, True), (replace(bent, family=Family.LOG, exponent=1.0, a=300.0), False)):
        problem = BudgetProblem.of(
            [Cell("alice", ("ch", "alice"), curve)], 300.0, node_bounds=floor, global_constraints=limit
        )
        answer = solve_budget(problem).as_dict()
        assert answer["status"] == "infeasible"
        assert answer.get("best_attainable_is_bound", False) is bound
        best = max(float(problem.responses.value(np.array([x]))[0]) / x for x in np.linspace(30.0, 60.0, 301))
        assert answer["best_attainable"] >= best * (1.0 - 1e-9)


def test_a_commitment_between_floor_and_cap_is_part_of_the_conflict() -> None:
    cells = [cell("alice", 900.0, 100.0, path=("ch",), min_spend_if_active=50.0)]
    problem = BudgetProblem.of(cells, 500.0, node_bounds=[NodeBound(("ch",), 20.0, 30.0)])
    solved = solve_budget(problem)
    assert solved.conflict is not None
    assert {one.kind for one in solved.conflict.members} == {"min_spend", "max_spend", "min_spend_if_active"}
    for member in solved.conflict.members:
        assert solve_budget(without(problem, [member])).feasible


def test_the_best_return_is_found_where_spending_nothing_keeps_it_too() -> None:
    """Lines of one retailer return just too little to begin with, so the others stand alone; any return below theirs
    can be kept, and below that of their first unit with no room to spare."""
    first = Curve(Family.POWER, 104.24749550081253, 190.11066930388694, 0.7573880535187161)
    cells = [
        Cell("c0", ("r0", "s0"), Curve(Family.LOG, 30.77, 2.93), max_spend=300.0, incrementality=0.58),
        Cell("c1", ("r1", "s1"), first, min_spend=2.0, max_spend=300.0),
    ]
    least = 1.001 * 0.58 * 30.77 / 2.93
    limits = [
        GlobalConstraint(GlobalKind.MIN_IROAS, least, ("r0",)),
        GlobalConstraint(GlobalKind.MIN_ROAS, 10.4),
    ]
    problem = BudgetProblem.of(cells, 120.0, global_constraints=limits)
    solved = solve_budget(problem)
    assert solved.conflict is not None
    best = first.a * (2.0 / first.k) ** first.exponent / 2.0
    assert solved.conflict.best_attainable == pytest.approx(best, rel=1e-6)
    for times, status in ((0.999999, "optimal"), (1.00001, "infeasible")):
        asked = replace(problem, global_constraints=(limits[0], replace(limits[1], value=best * times)))
        assert solve_budget(asked).status == status
