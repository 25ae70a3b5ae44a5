"""No test is a window on another: twins registered before it, tests that were given up, copies of either."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from measurement import services
from measurement.models import Experiment, PanelFigures
from measurement.services import plans
from tenants.core.problems import Conflict
from tests import factories
from tests.measurement.conftest import END, FIRST, GEOS, START, as_csv, fresh, geo_rows, summary

TREATED = GEOS[::2]
GROUPS = as_csv([(geo, "treated" if geo in TREATED else "control") for geo in GEOS], ("unit", "group"))
HISTORY = as_csv([row for row in geo_rows(START - timedelta(1)) if row[0] >= FIRST + timedelta(60)])


@pytest.fixture
def assigned(experiment, send, alice):
    """`assigned(...)`: every second market treated, in other ads than those of any other test unless said."""

    def _assigned(end=END, placement="onsite_display", **changes):
        one = experiment(end_date=end, placement=placement, method="did", **changes)
        send(one, HISTORY)
        return services.assign_units(actor=alice, experiment=fresh(one), content=GROUPS)

    return _assigned


@pytest.fixture
def fixed(assigned, alice):
    def _fixed(*, retrospective=False, **changes):
        one = assigned(**changes)
        return services.register_experiment(actor=alice, experiment=one, retrospective=retrospective)

    return _fixed


def _data(until):
    return as_csv([row for row in geo_rows(until, treated=TREATED) if row[0] >= FIRST + timedelta(60)])


@pytest.mark.parametrize(
    "twin",
    [
        {"end": START + timedelta(13)},
        {"looks": "group_sequential", "settings": {"look_at": [14]}},
        {"end": START + timedelta(13), "outcome": "orders", "kind": "sku"},
    ],
)
def test_a_twin_that_is_there_before_is_no_look_at_a_test(fixed, assigned, alice, twin):
    fixed(placement="onsite_search_top", **twin)
    with pytest.raises(Conflict, match="an early look at its result"):
        services.register_experiment(actor=alice, experiment=assigned())


def test_tests_that_end_together_may_share_their_markets(fixed):
    assert fixed(placement="onsite_search_top").is_registered
    assert fixed().is_registered


def test_a_shorter_twin_on_the_same_file_waits_for_the_other(fixed, send, alice, today, monkeypatch):
    """Plans of before the rule, and those that share no more than a file, are held at their reading."""
    twin = fixed(placement="onsite_search_top", end=START + timedelta(13))
    monkeypatch.setattr(plans, "refuse_to_be_seen", lambda *_, **__: None)
    fixed()
    today(START + timedelta(14))
    services.start_experiment(actor=alice, experiment=twin)
    send(twin, _data(START + timedelta(13)))
    with pytest.raises(services.EarlyLook, match="another test, which still runs"):
        services.analyse_experiment(experiment=fresh(twin), actor=alice)


def test_what_was_given_up_is_not_seen_by_a_copy(fixed, assigned, send, alice, today):
    one = fixed(placement="onsite_search_top")
    today(START)
    services.start_experiment(actor=alice, experiment=fresh(one))
    today(START + timedelta(14))
    services.cancel_experiment(actor=alice, experiment=fresh(one), reason="To look.")
    copy = fixed(end=START + timedelta(13), retrospective=True)
    services.start_experiment(actor=alice, experiment=copy)
    send(copy, _data(START + timedelta(13)))
    with pytest.raises(services.EarlyLook, match="another test, which was given up before its end"):
        services.analyse_experiment(experiment=fresh(copy), actor=alice)
    draft = assigned(start_date=START + timedelta(14), settings={"design": "pairs", "durations": [14]})
    send(draft, _data(START + timedelta(13)))
    history = services.design_experiment(experiment=fresh(draft)).design["history"]
    assert history["last"] < str(START)
    today(END + timedelta(1))
    read = services.analyse_experiment(experiment=fresh(copy), actor=alice)
    assert any("was given up" in words for words in read.result["warnings"])


def test_what_was_given_up_before_it_began_hides_nothing(fixed, send, alice, today):
    one = fixed(placement="onsite_search_top")
    services.cancel_experiment(actor=alice, experiment=one, reason="A slip in the plan.")
    Experiment.objects.filter(pk=one.pk).update(cancelled_at=datetime(2026, 8, 20, tzinfo=UTC))
    shorter = fixed(end=START + timedelta(13))
    today(START + timedelta(14))
    services.start_experiment(actor=alice, experiment=shorter)
    send(shorter, _data(START + timedelta(13)))
    assert services.analyse_experiment(experiment=fresh(shorter), actor=alice).number == 1


def test_user_tests_of_one_brand_are_each_their_own(experiment, send, alice, today):
    """All have a treated arm and a control: their names say nothing."""
    for name, days in (("short", 8), ("long", 16)):
        settings = {"baseline_rate": 0.1, "effects": [0.2], "daily_users": 8000 // days}
        one = experiment(
            kind="ab", name=name, settings=settings, placement=f"onsite_search_{'top' if days == 8 else 'rest'}"
        )
        services.design_experiment(experiment=one)
        services.choose_candidate(actor=alice, experiment=fresh(one), choice=0)
        services.register_experiment(actor=alice, experiment=fresh(one))
    short, long = (Experiment.objects.get(name=name) for name in ("short", "long"))
    assert short.end_date < long.end_date
    today(START)
    services.start_experiment(actor=alice, experiment=short)
    today(short.end_date + timedelta(1))
    send(short, summary(until=str(short.end_date)), "sums.json")
    assert services.analyse_experiment(experiment=fresh(short), actor=alice).number == 1


def _turned(until, name):
    """The same figures in another order of rows, under other names."""
    rows = [row for row in geo_rows(until, treated=TREATED) if row[0] >= FIRST + timedelta(60)]
    return as_csv([(row[0], name(row[1]), *row[2:]) for row in random.Random(3).sample(rows, len(rows))])


@pytest.fixture
def disguised(chips, send, alice, experiment):
    """`disguised("brand")`: a shorter twin of the same markets, under another brand or other names of markets."""

    def _disguised(how):
        brand = factories.BrandFactory(slug="nuts") if how == "brand" else chips
        one = experiment(brand=brand, placement="onsite_display", method="did", end_date=START + timedelta(13))
        name = str if how == "brand" else lambda geo: geo.replace("geo", "market")
        send(one, _turned(START - timedelta(1), name))
        groups = as_csv([(name(geo), "treated" if geo in TREATED else "control") for geo in GEOS], ("unit", "group"))
        return services.assign_units(actor=alice, experiment=fresh(one), content=groups), name

    return _disguised


@pytest.mark.parametrize("how", ["brand", "names"])
@pytest.mark.parametrize("kept", [True, False], ids=["kept", "of an earlier release"])
def test_a_disguised_twin_is_held_before_and_after(fixed, disguised, send, alice, today, monkeypatch, how, kept):
    twin, name = disguised(how)
    if not kept:
        PanelFigures.objects.all().delete()
    twin = services.register_experiment(actor=alice, experiment=twin)
    with pytest.raises(Conflict, match="an early look at its result"):
        fixed(placement="onsite_search_top")
    monkeypatch.setattr(plans, "refuse_to_be_seen", lambda *_, **__: None)
    fixed(placement="onsite_search_top")
    today(START)
    services.start_experiment(actor=alice, experiment=twin)
    today(START + timedelta(14))
    send(twin, _turned(START + timedelta(13), name))
    with pytest.raises(services.EarlyLook, match="another test, which still runs"):
        services.analyse_experiment(experiment=fresh(twin), actor=alice)


def test_a_disguised_copy_of_erased_data_waits_and_says_so(fixed, disguised, send, alice, today):
    one = fixed(placement="onsite_search_top")
    today(START)
    services.start_experiment(actor=alice, experiment=fresh(one))
    services.cancel_experiment(actor=alice, experiment=fresh(one), reason="To look.")
    Experiment.objects.filter(pk=one.pk).update(cancelled_at=datetime(2026, 9, 1, tzinfo=UTC))
    services.erase_panels(actor=alice, experiment=fresh(one))
    copy, name = disguised("names")
    copy = services.register_experiment(actor=alice, experiment=copy)
    services.start_experiment(actor=alice, experiment=copy)
    today(START + timedelta(14))
    send(copy, _turned(START + timedelta(13), name))
    with pytest.raises(services.EarlyLook, match="given up before its end"):
        services.analyse_experiment(experiment=fresh(copy), actor=alice)
    today(END + timedelta(1))
    read = services.analyse_experiment(experiment=fresh(copy), actor=alice)
    assert any("was given up" in words for words in read.result["warnings"])


def test_the_same_sums_are_no_second_test_of_users(experiment, send, alice, today):
    for name, days in (("short", 8), ("long", 16)):
        settings = {"baseline_rate": 0.1, "effects": [0.2], "daily_users": 8000 // days}
        placement = f"onsite_search_{'top' if days == 8 else 'rest'}"
        one = experiment(kind="ab", name=name, settings=settings, placement=placement)
        services.design_experiment(experiment=one)
        services.choose_candidate(actor=alice, experiment=fresh(one), choice=0)
        services.register_experiment(actor=alice, experiment=fresh(one))
    short, long = (Experiment.objects.get(name=name) for name in ("short", "long"))
    today(START)
    for one in (short, long):
        services.start_experiment(actor=alice, experiment=one)
        send(one, summary(until=str(short.end_date)) + b" " * (one == short), "sums.json")
    today(short.end_date + timedelta(1))
    with pytest.raises(services.EarlyLook, match="another test, which still runs"):
        services.analyse_experiment(experiment=fresh(short), actor=alice)


def test_the_same_periods_are_no_second_switchback(experiment, send, alice, today):
    settings = {"periods": 28, "effects": [0.3]}
    long = experiment(kind="switchback", settings=settings, placement="onsite_search_top")
    short = experiment(kind="switchback", settings=settings, end_date=START + timedelta(13))
    Experiment.objects.filter(pk__in=[long.pk, short.pk]).update(
        state="running", registered_at=datetime(2026, 8, 20, tzinfo=UTC), started_at=datetime(2026, 9, 1, tzinfo=UTC),
        plan_sha256="0" * 64,
    )  # fmt: skip
    for one, places in ((long, ".0f"), (short, ".2f")):
        rows = [(at, at % 2, format(100 + at * 7 % 31, places)) for at in range(1, 15)]
        send(fresh(one), as_csv(rows, ("period", "treated", "outcome")))
    today(START + timedelta(14))
    with pytest.raises(services.EarlyLook, match="another test, which still runs"):
        services.request_analysis(actor=alice, experiment=fresh(short))
