"""From a reading to factors, curves and another allocation; and what is refused on the way."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import count

import pytest
from django.utils import timezone

from accounts.core.permissions import Role
from measurement import planning_presenters, services
from measurement.core.answers import Estimate
from measurement.core.reading_json import reading_as_dict
from measurement.models import Calibration, Experiment, PanelVersion, Reading
from measurement.services import calibration
from metrics.models import FactorSet
from optimization import selectors as optimization
from optimization import services as solving
from optimization.models import CurveVersion
from planning import services as planning
from planning.models import Scenario
from tenants.core.problems import Conflict, InvalidInput, NotAllowed
from tests import factories
from tests.measurement.readings import a_reading
from tests.metrics.conftest import Shelf
from tests.optimization.market import open_market

START, END = date(2026, 9, 14), date(2026, 10, 11)
CELL = ("Amazon", "onsite_search_top")


@pytest.fixture
def market(acme, storage, chips):
    """Ten weeks of chips at Amazon and Walmart."""
    return open_market(Shelf(storage / "staged"), chips)


@pytest.fixture
def curves(market, chips):
    return solving.fit_curves(brand=chips).version


@pytest.fixture
def read(chips, alice, market):
    """`read(0.6)`: a finished heavy-up of search at Amazon that found this iROAS, within 0.2 at 95 %."""
    numbers = count(1)

    def _read(iroas=0.6, half=0.2, *, experiment=None, cost=700.0, **changes):
        now = timezone.now()
        one = experiment or Experiment.objects.create(
            **{
                "number": next(numbers), "name": "Search heavy-up", "kind": "geo", "action": "heavy_up",
                "brand": chips, "retailer": market.accounts["amazon"].retailer, "placement": CELL[1],
                "currency": "USD", "start_date": START, "end_date": END, "state": "read", "plan_sha256": "a" * 64,
                "registered_at": now, "registered_by": alice,
            }
            | changes
        )  # fmt: skip
        panel, _ = PanelVersion.objects.get_or_create(
            experiment=one, number=1,
            defaults={"format": "panel", "origin": "file", "file_name": "a.csv", "sha256": "c" * 64, "size": 1,
                      "columns": {}, "unit_count": 2, "period_count": 9},
        )  # fmt: skip
        end = None if iroas is None else Estimate(iroas, iroas - half, iroas + half)
        found = a_reading(cost=cost, iroas=end, evidence="counterfactual")
        return Reading.objects.create(
            experiment=one, panel=panel, number=one.readings.count() + 1, result=reading_as_dict(found), method="sc",
            evidence="counterfactual", plan_sha256="a" * 64, code_version="1", seed=1, seconds=0.1,
        )  # fmt: skip

    return _read


def solved(alice, chips) -> Scenario:
    made = planning.create_scenario(
        actor=alice, brand=chips,
        given={
            "name": "Next weeks", "horizon_start": "2026-11-16", "horizon_end": "2026-12-13",
            "total_budget": "4000", "objective": "incremental_sales", "max_change_fraction": "0.5",
        },
    )  # fmt: skip
    return planning.answer_scenario(scenario=made, actor=alice)


def spend_of(scenario: Scenario, cell=CELL) -> float:
    lines = scenario.solve.solution["lines"]
    return sum(one["proposed"] for one in lines if one["cell"].startswith("|".join(cell)))


def test_a_reading_changes_factor_curve_version_and_allocation(alice, chips, curves, read):
    before = solved(alice, chips)
    made = services.use_in_planning(as_user=alice, reading=read(0.35))
    factors = optimization.incrementality_factors(chips)
    own, other = factors.for_cell(*CELL), factors.for_cell("Walmart", "onsite_search_top")
    assert 1.2 < made.summary["attributed"] < 2.2, "of a curve whose average return there is about 2.6"
    assert own.mean == pytest.approx(0.35 / made.summary["attributed"], rel=0.2)
    assert own.mean < other.mean < 1.0
    assert made.curve_version.number == curves.number + 1
    assert optimization.latest_curves(brand=chips) == made.curve_version
    kept = {(one["retailer"], one["placement"]): one["incrementality"]["mean"] for one in made.curve_version.curves}
    assert kept[CELL] == own.mean
    assert [one["params"] for one in made.curve_version.curves] == [one["params"] for one in curves.curves]
    after = solved(alice, chips)
    assert after.curve_version == made.curve_version
    assert spend_of(after) < 0.97 * spend_of(before)
    assert after.solve.inputs["factors_sha256"] == made.curve_version.settings["factors_sha256"]


def test_the_chain_back_is_whole(alice, chips, curves, read):
    reading = read()
    made = services.use_in_planning(as_user=alice, reading=reading)
    (row,) = [one for one in made.factor_set.factors.all() if (one.retailer.name, one.placement) == CELL]
    assert (row.evidence, row.level, row.valid_from) == ("counterfactual", Decimal("0.9"), START)
    assert row.valid_to == END + timedelta(days=services.VALID_DAYS)
    assert row.low < row.value < row.high
    assert "EX-0001" in row.method
    others = [one for one in made.factor_set.factors.all() if one.pk != row.pk]
    assert {one.evidence for one in others} == {"proxy"}
    assert len(others) == len({(one["retailer"], one["placement"]) for one in curves.curves}) - 1
    assert (made.reading, made.published_by, made.factor_set.brand) == (reading, alice, chips)


def test_a_preview_says_what_will_be_and_stores_nothing(alice, chips, curves, read):
    reading = read(0.5)
    told = services.preview_planning(as_user=alice, reading=reading)
    assert (FactorSet.objects.count(), CurveVersion.objects.count()) == (0, 1)
    assert told.prior.low < told.after.low < told.after.value < told.after.high < told.prior.high
    assert told.after.value == pytest.approx(told.test.value, rel=0.15)
    assert told.narrower == pytest.approx(1 - (told.after.high - told.after.low) / (told.prior.high - told.prior.low))
    first = told.transfers[0]
    assert ((first.retailer, first.placement), first.source, first.before) == (CELL, "experiment", 1.0)
    assert first.influence == max(one.influence for one in told.transfers)
    assert sum(one.spend[0] for one in told.transfers) == pytest.approx(sum(one.spend[2] for one in told.transfers))
    made = services.use_in_planning(as_user=alice, reading=reading)
    assert {name: made.summary[name] for name in ("attributed", "prior", "test", "after")} == {
        name: told.as_dict()[name] for name in ("attributed", "prior", "test", "after")
    }


def test_used_twice_is_used_once(alice, chips, curves, read):
    reading = read()
    made = services.use_in_planning(as_user=alice, reading=reading)
    assert services.use_in_planning(as_user=alice, reading=reading) == made
    assert (FactorSet.objects.count(), CurveVersion.objects.count(), Calibration.objects.count()) == (1, 2, 1)
    solving.fit_curves(brand=chips)
    assert CurveVersion.objects.count() == 2, "the same data under the same factors are the same version"


def test_a_person_who_knows_better_meanwhile_does_not_make_it_deaf(alice, chips, curves, read):
    reading = read()
    made = services.use_in_planning(as_user=alice, reading=reading)
    solving.set_factor(actor=alice, mean=0.9, standard_error=0.1, reason="A study.", brand=chips, retailer=CELL[0],
                       placement=CELL[1])  # fmt: skip
    again = services.use_in_planning(as_user=alice, reading=reading)
    assert again.factor_set.version > made.factor_set.version + 1
    assert optimization.incrementality_factors(chips).for_cell(*CELL).mean < 0.9


def test_tests_of_several_experiments_count_together(alice, chips, curves, read, market):
    services.use_in_planning(as_user=alice, reading=read(0.35))
    alone = optimization.incrementality_factors(chips).for_cell("Walmart", "onsite_search_top")
    second = read(
        1.4, 0.4, retailer=market.accounts["walmart"].retailer, placement="onsite_search_top", cost=150.0,
    )  # fmt: skip
    made = services.use_in_planning(as_user=alice, reading=second)
    assert list(made.summary["tests"]) == ["EX-0002", "EX-0001"]
    factors = optimization.incrementality_factors(chips)
    tested = factors.for_cell("Walmart", "onsite_search_top")
    assert (tested.source, tested.sd < alone.sd) == ("import", True)
    assert {factors.for_cell(*CELL).version, tested.version} == {made.factor_set.version}


def test_a_later_reading_of_an_experiment_takes_the_place_of_the_earlier(alice, chips, curves, read):
    first = read(0.4)
    services.use_in_planning(as_user=alice, reading=first)
    made = services.use_in_planning(as_user=alice, reading=read(0.9, experiment=first.experiment))
    assert list(made.summary["tests"]) == ["EX-0001"]
    factor = optimization.incrementality_factors(chips).for_cell(*CELL)
    assert factor.mean == pytest.approx(0.9 / made.summary["attributed"], rel=0.15)


def test_without_interval_or_money_nothing_is_published(alice, chips, curves, read):
    with pytest.raises(InvalidInput, match="no incremental return"):
        services.use_in_planning(as_user=alice, reading=read(None))
    with pytest.raises(InvalidInput, match="has no spend to compare"):
        services.use_in_planning(as_user=alice, reading=read(cost=1e6))
    assert not FactorSet.objects.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"retailer": None}, "all retailers"),
        ({"outcome": "units"}, "measured units"),
        ({"start_date": date(2024, 9, 14), "end_date": date(2024, 10, 11)}, "Nothing was spent|no spend"),
    ],
)
def test_a_test_that_is_of_no_cell_is_refused(alice, chips, curves, read, changes, said):
    with pytest.raises((Conflict, InvalidInput), match=said):
        services.use_in_planning(as_user=alice, reading=read(**changes))


def test_a_look_before_the_end_is_not_planned_with(alice, chips, curves, read):
    reading = read()
    reading.interim = True
    with pytest.raises(Conflict, match="before the end"):
        services.use_in_planning(as_user=alice, reading=reading)


def test_ads_that_went_dark_are_held_against_all_they_sold(alice, chips, curves, read):
    dark = services.preview_planning(as_user=alice, reading=read(action="go_dark"))
    more = services.preview_planning(as_user=alice, reading=read())
    assert dark.attributed > 1.2 * more.attributed, "an average is above the increment"


def test_without_curves_a_holdback_still_has_its_factor(alice, chips, read):
    made = services.use_in_planning(as_user=alice, reading=read(action="holdback"))
    assert made.curve_version is None
    assert set(optimization.incrementality_factors(chips)) == {CELL}
    with pytest.raises(InvalidInput, match="no curve of the cell"):
        services.use_in_planning(as_user=alice, reading=read())


@pytest.mark.parametrize("role", [Role.PLANNER, Role.VIEWER, Role.APPROVER])
def test_who_may_not_publish_factors_may_look_only(role, chips, curves, read):
    bob = factories.person("bob", role)
    reading = read()
    assert services.preview_planning(as_user=bob, reading=reading).experiment == "EX-0001"
    with pytest.raises(NotAllowed):
        services.use_in_planning(as_user=bob, reading=reading)
    assert not FactorSet.objects.exists()


def test_what_something_newer_replaced_is_not_called_in_use(alice, chips, curves, read):
    first = read(0.6)
    services.use_in_planning(as_user=alice, reading=first)
    card = planning_presenters.planning_card(user=alice, stored=first)
    assert (card["used"] is not None, card["allowed"]) == (True, False)
    services.use_in_planning(as_user=alice, reading=read(0.9))
    card = planning_presenters.planning_card(user=alice, stored=first)
    assert (card["used"], card["allowed"]) == (None, True)


def test_a_preview_is_worked_out_once_until_something_changes(alice, chips, curves, read, monkeypatch):
    asked = []
    find = calibration._found
    monkeypatch.setattr(calibration, "_found", lambda reading: asked.append(reading.pk) or find(reading))
    first, second = read(0.5), read(0.9)
    told = services.preview_planning(as_user=alice, reading=first)
    assert services.preview_planning(as_user=alice, reading=first) == told
    assert asked == [first.pk]
    services.preview_planning(as_user=alice, reading=second)
    assert asked == [first.pk, second.pk], "another reading is another question"
    services.use_in_planning(as_user=alice, reading=second)
    asked.clear()
    now = services.preview_planning(as_user=alice, reading=first)
    assert asked == [first.pk]
    assert now.tests == ("EX-0001", "EX-0002")
    assert (now.prior, now.transfers[0].before) != (told.prior, told.transfers[0].before)
    sku = next(one["sku"] for one in curves.curves if (one["retailer"], one["placement"]) == CELL)
    solving.adjust_curves(
        actor=alice, brand=chips, kind="override", retailer=CELL[0], placement=CELL[1], sku=sku, family="log",
        a=500.0, k=300.0, reason="a new site",
    )  # fmt: skip
    services.preview_planning(as_user=alice, reading=first)
    assert asked == [first.pk, first.pk], "curves that a person overrode are other curves"
