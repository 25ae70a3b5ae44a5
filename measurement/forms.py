"""Forms of experiments. They only read and show; what is allowed is decided by the services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from harmonization.core.rmis import PLACEMENTS
from harmonization.models import Retailer
from measurement.models import Experiment
from measurement.services import UNITS
from tenants.core.problems import Problem

_AMOUNT = {"inputmode": "decimal", "autocomplete": "off"}
_WHOLE = {"inputmode": "numeric", "autocomplete": "off"}
_DAY = {"type": "date"}
#: Field of the form for what the service names, where they differ: (setting, field, percent).
_SETTINGS = (
    ("design", "design", False), ("durations", "durations", False), ("effects", "effects", True),
    ("treated_counts", "treated_counts", False), ("include", "include", False), ("exclude", "exclude", False),
    ("max_holdout", "max_holdout", True), ("budget", "budget", False),
    ("cost_per_incremental", "cost_per_incremental", False), ("spend_change", "spend_change", True),
    ("power", "power", True), ("treated_share", "treated_share", True), ("cells", "cells", False),
    ("carryover", "carryover", False), ("periods", "periods", False), ("baseline_rate", "baseline_rate", True),
    ("daily_users", "daily_users", False), ("look_at", "look_at", False), ("keep_apart", "keep_apart", False),
)  # fmt: skip
#: Fields that a link to the form may fill.
_ASKED = ("name", "kind", "action", "retailer", "placement", "currency", "design", "durations", "spend_change",
          "treated_share")  # fmt: skip
_LONGEST = 120
_DESIGNS = [
    ("search", "Search for markets"),
    ("pairs", "Matched pairs, one of each by a coin"),
    ("stratified", "Drawn within strata of like units"),
    ("cells", "Several cells against one control"),
]


def _text(label: str, hint: str = "", attrs: Mapping[str, str] = _AMOUNT) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, help_text=hint, widget=forms.TextInput(attrs=dict(attrs) | {"autocomplete": "off"})
    )


class ExperimentForm(forms.Form):
    """What is asked of an experiment. Percentages here are fractions everywhere else; lists are split at commas."""

    use_required_attribute = False

    name = forms.CharField(label="Name")
    hypothesis = forms.CharField(
        label="Hypothesis", required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What you expect, before you see it.",
    )  # fmt: skip
    kind = forms.ChoiceField(label="Kind", choices=Experiment.Kind.choices)
    action = forms.ChoiceField(label="What changes", choices=Experiment.Action.choices)
    retailer = forms.ChoiceField(label="Retailer", required=False)
    placement = forms.ChoiceField(
        label="Placement", required=False,
        choices=[("", "All placements"), *((name, name.replace("_", " ")) for name in PLACEMENTS)],
    )  # fmt: skip
    outcome = forms.ChoiceField(
        label="Outcome", choices=[("sales", "Sales"), ("units", "Units"), ("orders", "Orders")], required=False
    )
    currency = _text("Currency", "Of outcome and spend, as USD.", {})
    start_date = forms.CharField(label="First day", required=False, widget=forms.DateInput(attrs=_DAY))
    end_date = forms.CharField(label="Last day", required=False, widget=forms.DateInput(attrs=_DAY))
    cooldown_days = _text("Cool-down, days", "Effects that still arrive after the end.", _WHOLE)
    planned_spend = _text("What it costs", "Spend added, or taken away. A candidate sets it.")
    method = forms.ChoiceField(
        label="Method", required=False,
        choices=[
            ("auto", "The one that suits the design"), ("sc_indexed", "Synthetic control, sales indexed"),
            ("sc", "Synthetic control, sales as they are"), ("asc", "Augmented synthetic control"),
            ("sdid", "Synthetic difference in differences"), ("did", "Difference in differences"),
            ("sc_t", "Synthetic-control t-test"), ("pairs", "Matched pairs"), ("trimmed_match", "Trimmed match"),
            ("tbr", "Time-based regression"),
        ],
        help_text="Others are asked beside it, whichever leads.",
    )  # fmt: skip
    alpha = _text("Level, two-sided", "0.05 gives 95% intervals.")
    seed = _text("Seed", "The same seed draws the same units.", _WHOLE)
    looks = forms.ChoiceField(label="May be looked at", required=False, choices=Experiment.Looks.choices)
    look_at = _text("Days of looks", "As 7, 14, 21: days of the test.", _WHOLE)
    design = forms.ChoiceField(label="Design", required=False, choices=_DESIGNS)
    durations = _text("Lengths, periods", "As 14, 21, 28.", _WHOLE)
    effects = _text("Lifts, %", "As 2, 5, 10: what would matter.")
    treated_counts = _text("Treated units", "As 2, 3, 5. Empty: usual ones.", _WHOLE)
    include = _text("Always treated", "Units, with commas between.", {})
    exclude = _text("Never treated", "Units, with commas between.", {})
    max_holdout = _text("Largest holdout, %", "Of volume without the ads.")
    budget = _text("Largest cost", "Candidates that cost more are left out.")
    cost_per_incremental = _text("Cost of one more", "Spend for one more unit of the outcome, where known.")
    spend_change = _text("Change of spend, %", "As 50, or -100 to go dark.")
    power = _text("Power, %", "80 is usual.")
    treated_share = _text("Share treated, %", "Of the units drawn.")
    cells = _text("Cells", "As low, high: names of the treatments.", {})
    keep_apart = forms.BooleanField(label="Neighbouring states are not both in it", required=False)
    carryover = _text("Carry-over, periods", "How long an effect lasts after it stops.", _WHOLE)
    periods = _text("Periods", "Empty: one a day.", _WHOLE)
    baseline_rate = _text("Usual conversion, %", "Of users without the ads.")
    daily_users = _text("Users a day", "In both arms together.", _WHOLE)

    def __init__(self, *args: Any, experiment: Experiment | None = None, **options: Any) -> None:
        """`experiment` is the one that is edited: what the form does not show of it stays as it is."""
        super().__init__(*args, **options)
        shown = {setting for setting, _, _ in _SETTINGS}
        stored = {} if experiment is None else experiment.settings
        self.kept = {setting: value for setting, value in stored.items() if setting not in shown}
        for name in ("outcome", "method") if experiment is not None else ():
            field, value = self.fields[name], getattr(experiment, name)
            if value not in dict(field.choices):  # type: ignore[attr-defined]
                field.choices = [*field.choices, (value, value.replace("_", " "))]  # type: ignore[attr-defined]
        retailers = list(Retailer.objects.order_by("name").values_list("slug", "name"))
        self.fields["retailer"].choices = [("", "All retailers"), *retailers]  # type: ignore[attr-defined]

    @classmethod
    def of(cls, experiment: Experiment) -> ExperimentForm:
        """The form as a stored experiment fills it."""
        given: dict[str, Any] = {
            name: getattr(experiment, name)
            for name in ("name", "hypothesis", "kind", "action", "placement", "outcome", "currency", "method", "looks",
                         "cooldown_days", "seed", "alpha")
        }  # fmt: skip
        given |= {
            "retailer": experiment.retailer.slug if experiment.retailer else "",
            "start_date": str(experiment.start_date or ""),
            "end_date": str(experiment.end_date or ""),
            "planned_spend": "" if experiment.planned_spend is None else str(experiment.planned_spend),
        }
        for setting, name, percent in _SETTINGS:
            if setting in experiment.settings:
                given[name] = _shown(experiment.settings[setting], percent)
        return cls(initial=given, experiment=experiment)

    @property
    def given(self) -> dict[str, Any]:
        """The fields as the service takes them."""
        data = self.data
        plain = (
            "name", "hypothesis", "kind", "action", "retailer", "placement", "outcome", "currency", "start_date",
            "end_date", "cooldown_days", "planned_spend", "method", "alpha", "seed", "looks",
        )  # fmt: skip
        given: dict[str, Any] = {name: str(data[name]).strip() for name in plain if name in data}
        if given.get("kind") in ("switchback", "ab"):
            given["method"] = "auto"
        settings: dict[str, Any] = dict(self.kept)
        for setting, name, percent in _SETTINGS:
            value = str(data.get(name, "")).strip()
            if value:
                settings[setting] = [_part(one) for one in value.split(",")] if percent and "," in value else value
                if percent:
                    many = settings[setting]
                    settings[setting] = many if isinstance(many, list) else _part(many)
        return given | {"settings": settings}

    def show(self, problem: Problem) -> None:
        """Each fault at its field; those of no field, and the next move, above the form."""
        self.full_clean()
        self.errors.clear()  # the service's words, once, instead of the form's
        fields = {f"settings.{setting}": name for setting, name, _ in _SETTINGS}
        for error in problem.errors or [problem.as_dict()]:
            where = str(error.get("where", ""))
            name = fields.get(where, where)
            words = " ".join(filter(None, (error.get("detail"), error.get("fix"))))
            self.add_error(name if name in self.fields else None, words)


class PanelForm(forms.Form):
    """Data of an experiment, as a file; its columns where the header does not say."""

    file = forms.FileField(
        label="File", help_text="CSV with one row per unit and day; of an A/B test its sums as JSON."
    )
    date = _text("Column of days", attrs={})
    unit = _text("Column of units", attrs={})
    outcome = _text("Column of the outcome", attrs={})
    cost = _text("Column of spend", attrs={})
    missing = forms.ChoiceField(
        label="Rows that lack", required=False,
        choices=[("", "As before"), ("leave_out", "Leave the unit out, and say so"),
                 ("zero", "Nothing was sold: zero"),
                 ("zero_inside", "Between the unit's first and last row nothing was sold: zero"),
                 ("refuse", "Refuse the file")],
    )  # fmt: skip

    @property
    def columns(self) -> dict[str, str] | None:
        """What was named, or None."""
        named = {name: self.cleaned_data[name] for name in ("date", "unit", "outcome", "cost", "missing")}
        return {name: value for name, value in named.items() if value} or None


class EventsForm(forms.Form):
    """Data from the reports."""

    events_unit = forms.ChoiceField(
        label="Unit", choices=[(name, name.replace("_", " ").replace("sku", "SKU")) for name in UNITS]
    )


def asked_of(query: Mapping[str, str]) -> dict[str, str]:
    """Fields of a new experiment that an address fills; what is no choice of a field leaves it as it is."""
    return {name: query[name][:_LONGEST] for name in _ASKED if name in query}


def _part(text: str) -> Any:
    """A percentage as a fraction; what is no number stays, for the service to refuse in its words."""
    try:
        return float(text.strip().removesuffix("%").replace(",", "")) / 100
    except ValueError:
        return text.strip()


def _shown(value: Any, percent: bool) -> Any:
    if isinstance(value, list):
        return ", ".join(str(_shown(one, percent)) for one in value)
    if isinstance(value, bool):
        return value
    return f"{100 * value:g}" if percent else value
