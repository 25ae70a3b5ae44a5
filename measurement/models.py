"""Experiments: what was planned, the data they are read from, and what they said.

An experiment can be changed until it is registered. From then on its design, its plan and its units stay as they are,
and so does every version of its data, every reading and every calibration: the database refuses to change them.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import pghistory
import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from accounts.models import Brand, User
from harmonization.core.rmis import PLACEMENTS
from harmonization.models import Retailer
from metrics.models import FactorSet
from optimization.models import CurveVersion
from tenants.core.ids import new_id

#: Columns that nobody changes once the plan is hashed.
REGISTERED: Final = (
    "kind", "action", "hypothesis", "brand_id", "retailer_id", "placement", "outcome", "currency", "start_date",
    "end_date", "cooldown_days", "planned_spend", "method", "alpha", "seed", "looks", "settings", "design",
    "analysis_plan", "plan_sha256", "registered_at", "registered_by_id",
)  # fmt: skip
#: States of an experiment whose plan is hashed.
UNDER_PLAN: Final = ("registered", "running", "cooling", "readable", "read")
#: How the words of a check begin that nobody could judge.
UNCLEAR: Final = ("Unclear", "Not looked at")

_PLAN_CHANGES = " OR ".join(f'OLD."{name}" IS DISTINCT FROM NEW."{name}"' for name in REGISTERED)
_STAYS = [pgtrigger.Protect(name="stays_as_written", operation=pgtrigger.Update | pgtrigger.Delete)]
_UNITS_OF_A_PLAN = """
    IF EXISTS (
        SELECT 1 FROM measurement_experiment
        WHERE id IN (OLD.experiment_id, NEW.experiment_id) AND registered_at IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'pgtrigger: the units of a registered experiment stay as they were drawn';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
"""


def days_after(day: date, count: int) -> date:
    """A day that many days later; the last of the calendar where there is none, as with drafts of the year 9999."""
    return day + timedelta(days=min(count, (date.max - day).days))


@pghistory.track(exclude=["updated_at", "design"])
class Experiment(models.Model):
    """A test of what ads cause, of one brand or of all with no brand given, from its draft to its reading."""

    class Kind(models.TextChoices):
        GEO = "geo", "geo test"
        SKU = "sku", "SKU holdout"
        SWITCHBACK = "switchback", "switchback"
        AB = "ab", "user A/B"

    class Action(models.TextChoices):
        """What happens to the spend of the treated units."""

        HOLDBACK = "holdback", "holdback: never shown the ads"
        GO_DARK = "go_dark", "go dark: spend is taken away"
        HEAVY_UP = "heavy_up", "heavy-up: spend is added"

    class State(models.TextChoices):
        DRAFT = "draft", "draft"
        DESIGNED = "designed", "designed"
        REGISTERED = "registered", "registered"
        RUNNING = "running", "running"
        COOLING = "cooling", "cooling down"
        READABLE = "readable", "readable"
        READ = "read", "read"
        CANCELLED = "cancelled", "cancelled"

    class Looks(models.TextChoices):
        """When a result may be looked at before the planned end."""

        NONE = "", "at the planned end only"
        GROUP_SEQUENTIAL = "group_sequential", "at planned looks (O'Brien-Fleming)"
        ALWAYS_VALID = "always_valid", "at any time (always-valid interval)"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.PositiveIntegerField(unique=True, help_text="shown as EX-0001")
    brand = models.ForeignKey(
        Brand,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="experiments",
        help_text="empty: all brands",
    )
    name = models.CharField(max_length=120)
    hypothesis = models.TextField(blank=True, help_text="what is expected, before it is seen")
    kind = models.CharField(max_length=12, choices=Kind)
    action = models.CharField(max_length=12, choices=Action, default=Action.HEAVY_UP)
    retailer = models.ForeignKey(
        Retailer, on_delete=models.PROTECT, null=True, blank=True, related_name="experiments",
        help_text="whose ads are tested; empty: all",
    )  # fmt: skip
    placement = models.CharField(
        max_length=40, blank=True, choices=[(name, name) for name in PLACEMENTS], help_text="empty: all"
    )
    outcome = models.CharField(max_length=40, default="sales", help_text="what is measured: sales, units, orders")
    currency = models.CharField(max_length=3, blank=True, help_text="of outcome and cost; empty where it is no money")
    start_date = models.DateField(null=True, blank=True, help_text="first day of the test")
    end_date = models.DateField(null=True, blank=True, help_text="last day, inclusive")
    cooldown_days = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(366)], help_text="days after it in which effects still arrive"
    )
    planned_spend = models.DecimalField(
        "what it costs", max_digits=14, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)],
        help_text="spend added, or taken away where it goes dark",
    )  # fmt: skip
    method = models.CharField(max_length=24, default="auto", help_text="of the analysis; auto follows from the design")
    alpha = models.FloatField(default=0.05, help_text="two-sided")
    seed = models.PositiveIntegerField(default=1)
    looks = models.CharField(max_length=20, choices=Looks, default=Looks.NONE, blank=True)
    settings = models.JSONField(default=dict, blank=True, help_text="constraints of the design, as they were given")
    design = models.JSONField(default=dict, blank=True, help_text="candidates, the chosen one, power, frontier, fit")
    checks = models.JSONField(default=list, blank=True, help_text="of trend, overlap and ratio: the latest of each")
    analysis_plan = models.JSONField(default=dict, blank=True, help_text="as it was hashed")
    plan_sha256 = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    data_source = models.JSONField(default=dict, blank=True, help_text="where new days come from")
    schedule_id = models.UUIDField(null=True, blank=True, editable=False)
    job_id = models.UUIDField(null=True, blank=True, help_text="the newest job of it")
    problem = models.JSONField(null=True, blank=True, help_text="why that failed")
    registered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    registered_at = models.DateTimeField(null=True, blank=True)
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(start_date__isnull=True)
                | models.Q(end_date__isnull=True)
                | models.Q(end_date__gte=models.F("start_date")),
                name="experiment_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["geo", "sku", "switchback", "ab"]), name="experiment_kind_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(alpha__gt=0) & models.Q(alpha__lt=0.5), name="experiment_alpha_is_a_fraction"
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=UNDER_PLAN)
                | models.Q(registered_at__isnull=False, start_date__isnull=False, end_date__isnull=False),
                name="experiment_runs_under_a_plan",
            ),
            models.CheckConstraint(
                condition=models.Q(registered_at__isnull=True, plan_sha256="")
                | (models.Q(registered_at__isnull=False) & ~models.Q(plan_sha256="")),
                name="experiment_plan_is_hashed",
            ),
            models.CheckConstraint(
                condition=models.Q(state="cancelled", cancelled_at__isnull=False)
                | (~models.Q(state="cancelled") & models.Q(cancelled_at__isnull=True)),
                name="experiment_cancelled_when",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="plan_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(f"OLD.registered_at IS NOT NULL AND ({_PLAN_CHANGES})"),
            ),
            pgtrigger.Protect(
                name="registered_stays",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__registered_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} {self.name}"

    @property
    def label(self) -> str:
        """The short name people use."""
        return f"EX-{self.number:04d}"

    @property
    def placement_words(self) -> str:
        """As people read it."""
        return self.placement.replace("_", " ")

    @property
    def is_registered(self) -> bool:
        """Whether design and plan are fixed."""
        return self.registered_at is not None

    @property
    def cooled_on(self) -> date | None:
        """Last day on which its effects still arrive; None without an end."""
        return None if self.end_date is None else days_after(self.end_date, self.cooldown_days)

    @property
    def due_on(self) -> date | None:
        """First day on which it can be read by the clock; None without an end."""
        return None if self.cooled_on is None else days_after(self.cooled_on, 1)

    @property
    def checks_told(self) -> list[dict[str, Any]]:
        """The latest checks, each `passed`, `unclear` or `failed` by its `verdict`, as those of earlier releases are
        told, too: they called a trend that nobody could judge passed."""
        told = []
        for one in self.checks:
            unclear = one.get("passed") is None or str(one.get("words", "")).startswith(UNCLEAR)
            verdict = one.get("verdict") or ("unclear" if unclear else "passed" if one["passed"] else "failed")
            told.append({**one, "passed": {"passed": True, "failed": False}.get(verdict), "verdict": verdict})
        return told

    @property
    def begun(self) -> bool:
        """Whether it was not given up before its first day."""
        if self.cancelled_at is None or self.start_date is None:
            return True
        return self.start_date <= self.cancelled_at.date()


class ExperimentUnit(models.Model):
    """What is treated or compared: a market, a SKU, a block of periods, an arm."""

    class Group(models.TextChoices):
        TREATED = "treated", "treated"
        CONTROL = "control", "control"
        EXCLUDED = "excluded", "excluded"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="units")
    unit = models.CharField(max_length=120)
    group = models.CharField(max_length=8, choices=Group)
    cell = models.CharField(max_length=40, blank=True, help_text="of a multi-cell test")
    pair = models.CharField(max_length=40, blank=True, help_text="of matched pairs")
    stratum = models.CharField(max_length=80, blank=True)
    why = models.CharField(max_length=200, blank=True, help_text="why it is excluded")

    class Meta:
        ordering = ["experiment", "pair", "unit"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "unit"], name="unit_once_per_experiment"),
            models.CheckConstraint(
                condition=models.Q(group__in=["treated", "control", "excluded"]), name="unit_group_is_known"
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="units_stay",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func=_UNITS_OF_A_PLAN,
            )
        ]

    def __str__(self) -> str:
        return f"{self.unit}: {self.group}"


@pghistory.track(pghistory.InsertEvent())
class PanelVersion(models.Model):
    """The data of an experiment as they were at one time: a file under the tenant's folder, kept under its hash."""

    class Format(models.TextChoices):
        PANEL = "panel", "units by periods, CSV"
        LOG = "log", "periods of a switchback, CSV"
        SUMMARY = "summary", "sums of two arms, JSON"

    class Origin(models.TextChoices):
        FILE = "file", "a file that was sent"
        PLACE = "place", "a watched place"
        EVENTS = "events", "the harmonised events"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="panels")
    number = models.PositiveIntegerField()
    format = models.CharField(max_length=8, choices=Format)
    origin = models.CharField(max_length=8, choices=Origin)
    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64, help_text="of the file")
    size = models.PositiveBigIntegerField("bytes")
    columns = models.JSONField(help_text="which column is what: date, unit, outcome, cost, currency")
    currency = models.CharField(max_length=3, blank=True)
    unit_count = models.PositiveIntegerField()
    period_count = models.PositiveIntegerField()
    first_day = models.DateField(null=True, blank=True, help_text="empty where periods are numbers")
    last_day = models.DateField(null=True, blank=True)
    notes = models.JSONField(default=list, help_text="what was done to its rows on reading")
    data_version = models.PositiveBigIntegerField(null=True, blank=True, help_text="of the event table, of events")
    job_id = models.UUIDField(null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["experiment", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "number"], name="panel_numbered_once"),
            models.UniqueConstraint(fields=["experiment", "sha256", "columns"], name="panel_kept_once"),
        ]
        triggers = _STAYS

    def __str__(self) -> str:
        return f"data {self.number}: {self.file_name}"


class PanelFigures(models.Model):
    """By what the figures of some data are known again under other names; stays when their file is erased, so that a
    test that was given up is not looked at through a copy."""

    panel = models.OneToOneField(PanelVersion, on_delete=models.CASCADE, primary_key=True, related_name="figures")
    content = models.BinaryField(help_text="a print, as measurement.core.figure_prints packs it")

    def __str__(self) -> str:
        return f"figures of {self.panel_id}"


@pghistory.track(pghistory.InsertEvent())
class PanelRemoval(models.Model):
    """That the file of some data was removed, when and why. The file may have been sent again since: if it lies there
    the data can be read, whatever was removed before."""

    class Reason(models.TextChoices):
        ERASED = "erased", "erased by a person"
        RETENTION = "retention", "nothing needed it, and its time was over"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    panel = models.ForeignKey(PanelVersion, on_delete=models.PROTECT, related_name="removals")
    reason = models.CharField(max_length=16, choices=Reason)
    removed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        triggers = _STAYS

    def __str__(self) -> str:
        return f"{self.panel} removed: {self.reason}"


@pghistory.track(pghistory.InsertEvent(), exclude=["result"])
class Reading(models.Model):
    """What an analysis of one version of the data said, under the plan, by one version of the code."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="readings")
    panel = models.ForeignKey(PanelVersion, on_delete=models.PROTECT, related_name="readings")
    number = models.PositiveIntegerField()
    interim = models.BooleanField(default=False, help_text="a look before the planned end, under a plan that allows it")
    look = models.PositiveSmallIntegerField(null=True, blank=True, help_text="which of the planned looks, from 1")
    result = models.JSONField(help_text="the whole reading, rmn-reading/1")
    method = models.CharField(max_length=40)
    evidence = models.CharField(max_length=16, help_text="class of evidence")
    plan_sha256 = models.CharField(max_length=64, help_text="of the plan it was read under")
    code_version = models.CharField(max_length=64)
    seed = models.PositiveIntegerField()
    seconds = models.FloatField()
    job_id = models.UUIDField(null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["experiment", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "number"], name="reading_numbered_once"),
            models.UniqueConstraint(fields=["experiment", "look"], name="reading_each_look_once"),
        ]
        triggers = _STAYS

    def __str__(self) -> str:
        return f"reading {self.number} of {self.experiment_id}"


@pghistory.track(pghistory.InsertEvent())
class Calibration(models.Model):
    """Which factors were published because of a reading, and the curves that were fitted under them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="calibrations")
    factor_set = models.ForeignKey(FactorSet, on_delete=models.PROTECT, related_name="calibrations")
    curve_version = models.ForeignKey(
        CurveVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="calibrations"
    )
    summary = models.JSONField(default=dict, help_text="readings pooled, factor before and after, spread")
    published_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-published_at"]
        constraints = [
            models.UniqueConstraint(fields=["reading", "factor_set"], name="reading_published_once_per_factors")
        ]
        triggers = _STAYS

    def __str__(self) -> str:
        return f"{self.factor_set} from {self.reading}"
