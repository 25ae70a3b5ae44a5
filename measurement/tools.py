"""The planner's way to experiments. It designs, reads and, after a person approved the plan, says that one starts.

It sees no figure before the planned end, registers no plan and publishes no factor: those are a person's acts.
"""

from __future__ import annotations

from typing import Any, Final

from django.db import transaction
from django.urls import reverse

from accounts import selectors as people
from accounts.models import Brand, User
from harmonization.models import Retailer
from jobs.core.tools import Tool, register_tool
from measurement import selectors, services
from measurement.core.answers import Estimate
from measurement.core.reading_json import reading_from_dict
from measurement.core.readout import evidence_words, headline
from measurement.models import Calibration, Experiment, PanelVersion, Reading
from measurement.next_test_tool import SUGGEST
from measurement.reports import Told, told_by
from measurement.tool_schemas import (
    AnalyzeExperimentInput,
    AnalyzeExperimentOutput,
    DesignExperimentInput,
    DesignExperimentOutput,
    EstimateOut,
    ExperimentOut,
    ListExperimentsInput,
    ListExperimentsOutput,
    StartExperimentInput,
    StartExperimentOutput,
    Status,
)
from tenants.core.problems import Conflict, InvalidInput, NotFound

_STATUS: Final[dict[str, Status]] = {
    "draft": "draft", "designed": "draft", "registered": "draft", "running": "running", "cooling": "running",
    "readable": "reading", "read": "complete", "cancelled": "stopped",
}  # fmt: skip
_KINDS: Final = {
    "geo_holdout": ("geo", "holdback"),
    "geo_heavy_up": ("geo", "heavy_up"),
    "switchback": ("switchback", "heavy_up"),
    "sku_holdout": ("sku", "holdback"),
}
#: The tool's name of a method: ours, as they stand among the other methods of a reading, the first that was asked.
_METHODS: Final = {
    "did": ("did",), "synthetic_control": ("sc_indexed", "sc"), "tbr": ("tbr",), "cuped": ("ancova",),
}  # fmt: skip
_KPI: Final = {"sales": "sales", "units": "units", "new_to_brand": "ntb_sales"}
_MOST: Final = 50
#: A switchback of a day a period, where no length is asked for.
_WEEKS: Final = 4
#: Parts of a scope that an experiment has; others name ads of all kinds, and would be left out without a word.
_PARTS: Final = ("rmn", "placement", "brand")


def _list(given: ListExperimentsInput, *, user: User) -> ListExperimentsOutput:
    rows = selectors.experiments_listed(user=user).defer(None)
    if given.status:
        states = [state for state, status in _STATUS.items() if status in given.status]
        rows = rows.filter(state__in=states)
    place = _place(given.scope)
    for column, name in (("retailer__slug", "rmn"), ("placement", "placement"), ("brand__slug", "brand")):
        if name in place:
            rows = rows.filter(**{column: place[name]})
    shown = list(rows[:_MOST])
    newest = selectors.newest_of(shown)
    return ListExperimentsOutput(experiments=[_told(one, *newest[one.pk]) for one in shown], count=rows.count())


def _told(
    experiment: Experiment, panel: PanelVersion | None, stored: Reading | None, used: Calibration | None
) -> ExperimentOut:
    expected = experiment.analysis_plan.get("expected") or {}
    reading = reading_from_dict(stored.result) if stored else None
    readable = selectors.readability(experiment, panel, on=selectors.today())
    return ExperimentOut(
        experiment_id=experiment.pk,
        label=experiment.label,
        name=experiment.name,
        kind=experiment.get_kind_display(),
        status=_STATUS[experiment.state],
        state=experiment.get_state_display(),
        brand=experiment.brand.slug if experiment.brand else "",
        retailer=experiment.retailer.slug if experiment.retailer else "",
        placement=experiment.placement,
        start=experiment.start_date,
        end=experiment.end_date,
        readable_from=readable.due,
        plan_sha256=experiment.plan_sha256,
        power=expected.get("power"),
        mde=expected.get("mde"),
        lift=_estimate(reading.lift) if reading else None,
        p_value=reading.p_value if reading else None,
        iroas=_estimate(reading.iroas) if reading else None,
        evidence=evidence_words(reading) if reading else "",
        taught=_taught(used),
    )


def _taught(used: Calibration | None) -> str:
    if used is None:
        return ""
    curves = f", curves {used.curve_version}" if used.curve_version else ""
    return f"Factors version {used.factor_set.version}{curves}, since {used.published_at:%Y-%m-%d}"


def _design(given: DesignExperimentInput, *, user: User) -> DesignExperimentOutput:
    """All or nothing: a design that cannot begin leaves no draft behind."""
    with transaction.atomic():
        return _designed(given, user=user)


def _designed(given: DesignExperimentInput, *, user: User) -> DesignExperimentOutput:
    place = _place(given.scope)
    kind, action = _KINDS[given.kind]
    retailer = Retailer.objects.filter(slug=place["rmn"]).first() if "rmn" in place else None
    if "rmn" in place and retailer is None:
        raise InvalidInput(
            f"There is no retailer {place['rmn']!r}.", where="scope", fix="Name it by its slug, as get_context does."
        )
    brand = _brand(place["brand"], user) if "brand" in place else None
    settings: dict[str, Any] = {"power": given.power}
    if kind == "switchback":
        settings["periods"] = 7 * (given.weeks or _WEEKS)
    elif given.weeks is not None:
        settings["durations"] = [7 * given.weeks]
    if given.mde is not None:
        settings["effects"] = [0.0, given.mde]
    experiment = services.create_experiment(
        actor=user,
        brand=brand,
        given={
            "name": f"{given.kind.replace('_', ' ')}, {given.scope}"[:120],
            "kind": kind,
            "action": action,
            "retailer": place.get("rmn", ""),
            "placement": place.get("placement", ""),
            "outcome": _KPI[given.kpi],
            "alpha": given.alpha,
            "settings": settings,
            **({"seed": given.seed} if given.seed is not None else {}),
        },
    )
    told = {"experiment_id": experiment.pk, "label": experiment.label}
    days = ", ".join(f"{one.start} to {one.end}" for one in given.blackouts)
    apart = f" Its start is still open: keep test and cool-down clear of {days}." if days else ""
    if kind == "sku":
        services.panel_from_events(actor=user, experiment=experiment, unit="sku")
    elif kind == "geo":
        move = "Sales by market are in no report: a person sends them as a file on the page of the experiment."
        return DesignExperimentOutput(**told, job=None, next_move=f"{move}{apart}")
    job = services.request_design(actor=user, experiment=experiment)
    move = "When the job is done, a person chooses a candidate and registers the plan."
    return DesignExperimentOutput(**told, job=job.pk, next_move=f"{move}{apart}")


def _analyze(given: AnalyzeExperimentInput, *, user: User) -> AnalyzeExperimentOutput:
    experiment = selectors.experiment_named(user=user, reference=given.experiment_id)
    readable = selectors.readability(experiment, selectors.latest_panel(experiment), on=selectors.today())
    shared: dict[str, Any] = {
        "experiment_id": experiment.pk, "label": experiment.label, "readable_from": readable.due, "reasons": [],
    }  # fmt: skip
    stored = selectors.latest_reading(experiment)
    if stored is None and not readable.allowed:
        return AnalyzeExperimentOutput(status="not_yet_readable", **shared | {"reasons": list(readable.reasons)})
    if stored is None or (stored.interim and readable.final):
        job = services.request_analysis(actor=user, experiment=experiment)
        return AnalyzeExperimentOutput(status="being_read", job=job.pk, **shared)
    told = told_by(_of(stored, experiment))
    # A look before the end is no result: it is said to be one, with what the result still waits for.
    shared |= {"interim": stored.interim, "reasons": list(readable.reasons) if stored.interim else []}
    shared["page"] = reverse("experiment-reading", args=[experiment.pk])
    return _read(told, given.method, shared)


def _read(told: Told, method: str, shared: dict[str, Any]) -> AnalyzeExperimentOutput:
    reading = told.reading
    ours = _METHODS.get(method, (reading.method,))
    whole = {"alpha": reading.alpha, "evidence": evidence_words(reading), "warnings": list(reading.warnings)}
    if reading.method in ours:
        return AnalyzeExperimentOutput(
            status="read", **shared, **whole, words=headline(reading, told.facts), method=reading.method,
            procedure=reading.procedure, lift=_estimate(reading.lift), p_value=reading.p_value,
            incremental=_estimate(reading.incremental), iroas=_estimate(reading.iroas),
            placebos=len(reading.placebos),
        )  # fmt: skip
    other = next((one for name in ours for one in reading.sensitivity if one.method == name), None)
    if other is None:
        asked = ", ".join(one.method for one in reading.sensitivity) or "none"
        raise Conflict(
            f"{told.facts.reference} was not read by {method}: its plan says {reading.method}, and beside it {asked}.",
            where="method",
            fix="Ask for planned.",
        )
    words = f"Not the planned method, asked for comparison. {other.note}".strip()
    return AnalyzeExperimentOutput(
        status="read", **shared, **whole, words=words, method=other.method, lift=_estimate(other.lift),
        p_value=other.p_value,
    )  # fmt: skip


def _start(given: StartExperimentInput, *, user: User) -> StartExperimentOutput:
    experiment = selectors.experiment_named(user=user, reference=given.experiment_id)
    if not experiment.is_registered:
        raise Conflict(
            f"{experiment.label} has no registered plan.", fix="A person looks at the design and registers its plan."
        )
    if experiment.plan_sha256 != given.fingerprint:
        raise Conflict(
            f"The registered plan of {experiment.label} is another one.", where="fingerprint",
            fix="Read the experiment again and show its plan to a person.",
        )  # fmt: skip
    # The same call twice is the same start once: a plan is started under its own hash only.
    started = experiment if experiment.started_at else services.start_experiment(actor=user, experiment=experiment)
    readable = selectors.readability(started, selectors.latest_panel(started), on=selectors.today())
    return StartExperimentOutput(
        experiment_id=started.pk, label=started.label, state=started.get_state_display(), readable_from=readable.due
    )


def _of(stored: Reading, experiment: Experiment) -> Reading:
    stored.experiment = experiment
    return stored


def _brand(slug: str, user: User) -> Brand:
    brand = people.brands_for(user=user, permission=selectors.MANAGE).filter(slug=slug).first()
    if brand is None:
        raise NotFound(f"There is no brand {slug!r}.", where="scope", fix="Use the slug of a brand you may see.")
    return brand


def _place(scope: str) -> dict[str, str]:
    place = dict(part.split("=", 1) for part in scope.split("/") if part)
    other = [part for part in place if part not in _PARTS]
    if other:
        raise InvalidInput(
            f"An experiment has no {other[0]}.", where="scope", fix=f"Use only {', '.join(_PARTS)} in its scope."
        )
    return place


def _estimate(one: Estimate | None) -> EstimateOut | None:
    return None if one is None else EstimateOut(value=one.value, low=one.low, high=one.high)


def register() -> None:
    """Enter the tools of this app."""
    register_tool(SUGGEST)
    register_tool(
        Tool(
            name="list_experiments",
            description="Experiments by status with lift, interval, power and what they taught.",
            input_model=ListExperimentsInput,
            output_model=ListExperimentsOutput,
            permission=selectors.VIEW,
            run=_list,
        )
    )
    register_tool(
        Tool(
            name="design_experiment",
            description="Design a geo test, switchback or SKU holdout with power, MDE, length, cost and the "
            "assignment. Saves a draft; a person chooses the candidate and registers the plan.",
            input_model=DesignExperimentInput,
            output_model=DesignExperimentOutput,
            permission=selectors.MANAGE,
            read_only=False,
            run=_design,
        )
    )
    register_tool(
        Tool(
            name="analyze_experiment",
            description="Read an experiment: lift, interval, iROAS, placebo checks; says 'not yet readable' before its "
            "planned end.",
            input_model=AnalyzeExperimentInput,
            output_model=AnalyzeExperimentOutput,
            permission=selectors.VIEW,
            read_only=False,
            run=_analyze,
        )
    )
    register_tool(
        Tool(
            name="start_experiment",
            description="Start a designed experiment once a person has approved its plan.",
            input_model=StartExperimentInput,
            output_model=StartExperimentOutput,
            permission=selectors.MANAGE,
            read_only=False,
            destructive=True,
            run=_start,
        )
    )
