"""Scenarios over overridden curves: the answer names what it used, and later opinions leave it as it is."""

from __future__ import annotations

from optimization import selectors as curves
from optimization import services as optimization
from planning import services
from planning.presenters import solved_context

CELL = {"retailer": "Amazon", "placement": "onsite_display", "sku": "SEA-SALT"}
LINE = "Amazon|onsite_display|SEA-SALT"


def override(alice, chips, a: float):
    return optimization.adjust_curves(
        actor=alice, kind="override", brand=chips, family="log", a=a, k=100.0, reason="The May test", **CELL
    )


def test_a_solve_reads_overrides_and_names_them(solved, chips, alice):
    before = solved()
    held = override(alice, chips, 9000.0)
    after = solved()
    assert before.solve.inputs == {"weeks": 4.0}
    assert [one["id"] for one in after.solve.inputs["adjustments"]] == [str(held.pk)]
    assert after.solve.inputs["adjustments"][0]["reason"] == "The May test"
    assert after.solve.solution["spend"][LINE] > 2 * before.solve.solution["spend"][LINE]


def test_a_later_override_does_not_change_an_old_answer(solved, chips, alice):
    override(alice, chips, 9000.0)
    scenario = solved()
    kept, shown = scenario.solve.solution, solved_context(scenario, line=LINE, sort="")["curve"]
    optimization.revoke_adjustment(actor=alice, adjustment_id=override(alice, chips, 1.0).pk, reason="A typo")
    override(alice, chips, 20.0)
    scenario.solve.refresh_from_db()
    assert scenario.solve.solution == kept
    assert solved_context(scenario, line=LINE, sort="")["curve"] == shown
    assert shown.a == 9000.0
    assert curves.curves_of_solve(scenario.solve).sha256 == scenario.solve.inputs["adjustments_sha256"]


def test_the_same_question_over_other_curves_is_another_solve(draft, chips, alice):
    scenario = draft()
    first = services.answer_scenario(scenario=scenario, actor=alice).solve
    held = override(alice, chips, 9000.0)
    scenario.refresh_from_db()
    second = services.answer_scenario(scenario=scenario, actor=alice).solve
    assert second.pk != first.pk
    optimization.revoke_adjustment(actor=alice, adjustment_id=held.pk, reason="A typo")
    scenario.refresh_from_db()
    assert services.answer_scenario(scenario=scenario, actor=alice).solve.pk == first.pk
