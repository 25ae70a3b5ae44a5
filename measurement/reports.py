"""A stored reading with what surrounds it: for its page, its files and the planner alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from accounts.services import require
from measurement.core.answers import PanelReading
from measurement.core.reading_json import reading_from_dict
from measurement.core.readout import ExperimentFacts
from measurement.core.report_file import write_csv
from measurement.core.report_pdf import write_pdf
from measurement.core.tile_map import are_states
from measurement.core.words import count_of, period_text
from measurement.models import Experiment, ExperimentUnit, Reading
from metrics.core.export import ExportFile
from tenants.core.problems import InvalidInput

EXPORT: Final = "metrics.export"
ReportKind = Literal["csv", "pdf"]
REPORT_KINDS: Final[tuple[ReportKind, ...]] = ("csv", "pdf")


@dataclass(frozen=True, kw_only=True)
class Told:
    """A reading with the facts of its experiment, and of several cells each one's own reading."""

    stored: Reading
    reading: PanelReading
    facts: ExperimentFacts
    cells: dict[str, PanelReading]


def told_by(stored: Reading) -> Told:
    """What a stored reading says."""
    reading = reading_from_dict(stored.result)
    cells = {name: reading_from_dict(one) for name, one in stored.result.get("cells", {}).items()}
    return Told(stored=stored, reading=reading, facts=facts_of(stored.experiment, reading), cells=cells)


def facts_of(experiment: Experiment, reading: PanelReading) -> ExperimentFacts:
    """Names, plan and disclosure of an experiment, as its reading is told with them."""
    expected = experiment.analysis_plan.get("expected") or {}
    late = bool(experiment.analysis_plan.get("retrospective"))
    left_out = experiment.units.filter(group=ExperimentUnit.Group.EXCLUDED).values_list("unit", flat=True)
    retailer = experiment.retailer.name if experiment.retailer else ""
    network = retailer or "each network"
    ab = experiment.kind == Experiment.Kind.AB
    return ExperimentFacts(
        name=experiment.name,
        reference=experiment.label,
        brand=experiment.brand.name if experiment.brand else "All brands",
        retailer=retailer,
        placement=experiment.placement.replace("_", " "),
        design=_design_words(experiment),
        unit=_unit_noun(experiment, reading),
        outcome=experiment.outcome.replace("_", " "),
        currency=experiment.currency,
        plan_sha256=experiment.plan_sha256,
        registered=_registered_words(experiment, late=late),
        registered_late=late,
        power=expected.get("power"),
        mde=expected.get("mde"),
        left_out=tuple(left_out),
        taken_away=experiment.action in (Experiment.Action.HOLDBACK, Experiment.Action.GO_DARK) and not ab,
        attribution=f"None for the effect, which counts all {experiment.outcome} of the units. Attributed figures that "
        f"it is set against are as reported by {network}, under its own model and windows",
    )


def origin_of(stored: Reading) -> list[tuple[str, str]]:
    """Where a reading comes from: data, code, seed, person."""
    panel = stored.panel
    days = (
        f", {period_text(panel.first_day)} to {period_text(panel.last_day)}"
        if panel.first_day and panel.last_day
        else ""
    )
    who = f" by {stored.created_by.name or stored.created_by.email}" if stored.created_by else ""
    return [
        (
            "Data",
            f"{panel.file_name}, version {panel.number}: {count_of(panel.unit_count, 'unit')} by "
            f"{count_of(panel.period_count, 'period')}{days}; SHA-256 {panel.sha256[:16]}…",
        ),
        *(("What was done to its rows", str(note)) for note in panel.notes),
        *(
            (f"Check of {one['check']} before the test", f"{one['verdict']}. {one['words']}")
            for one in stored.experiment.checks_told
        ),
        (
            "Read",
            f"{stored.created_at:%-d %b %Y %H:%M} UTC{who}, in {stored.seconds:.2f} s, seed {stored.seed}, "
            f"code {stored.code_version}",
        ),
    ]


def export_reading(*, user: User | AnonymousUser, stored: Reading, kind: str) -> ExportFile:
    """A reading as `csv` or `pdf`.

    Raises:
        InvalidInput: the kind of file is unknown.
        NotAllowed: no role carries metrics.export for its brand.
    """
    require(user=user, permission=EXPORT, brand=stored.experiment.brand)
    return write_report(told_by(stored), kind)


def write_report(told: Told, kind: str) -> ExportFile:
    """The file itself, for the command line too.

    Raises:
        InvalidInput: the kind of file is unknown.
    """
    if kind not in REPORT_KINDS:
        raise InvalidInput(
            f"A reading cannot be written as {kind!r}.", where="format", fix=f"Use one of: {', '.join(REPORT_KINDS)}."
        )
    name = f"{told.facts.reference}-reading-{told.stored.number}"
    write = write_csv if kind == "csv" else write_pdf
    return write(told.reading, told.facts, name=name, notes=origin_of(told.stored))


def _design_words(experiment: Experiment) -> str:
    kind = experiment.get_kind_display()
    if experiment.kind in (Experiment.Kind.GEO, Experiment.Kind.SKU):
        return f"{kind}, {experiment.get_action_display()}"
    return str(kind)


def _unit_noun(experiment: Experiment, reading: PanelReading) -> str:
    if experiment.kind == Experiment.Kind.GEO:
        return "state" if are_states([*reading.treated, *reading.controls]) else "market"
    return {"sku": "SKU", "switchback": "block", "ab": "group"}[experiment.kind]


def _registered_words(experiment: Experiment, *, late: bool) -> str:
    if experiment.registered_at is None:
        return ""
    day = period_text(experiment.registered_at.date())
    if late:
        return f"registered {day}, after the test had begun"
    on_the_day = experiment.start_date is not None and experiment.registered_at.date() >= experiment.start_date
    return f"registered {day}, on the first day of the test" if on_the_day else f"registered {day}, before the start"
