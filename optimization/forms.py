"""Forms of the pages of curves."""

from __future__ import annotations

from typing import Any

from django import forms

from harmonization.core.rmis import PLACEMENTS
from harmonization.models import Retailer
from optimization.core.responses import Family
from optimization.services import LONGEST_FACTOR_REASON, LONGEST_REASON
from tenants.core.problems import Problem

_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
#: How sure a prior is, in words; the value is one standard deviation, relative.
SPREADS = [("0.1", "Sure: within 10 %"), ("0.3", "Fairly sure: within 30 %"), ("0.6", "A guess: within 60 %")]


class _Adjustment(forms.Form):
    reason = forms.CharField(label="Reason", max_length=LONGEST_REASON, help_text="Whoever plans with it reads this.")
    expires_on = forms.DateField(
        label="Until", required=False, widget=_DAY, help_text="First day on which it no longer counts."
    )


class OverrideForm(_Adjustment):
    """Another curve for one cell."""

    family = forms.ChoiceField(label="Family", choices=[(one.label, one.label.replace("_", " ")) for one in Family])
    a = forms.FloatField(label="a, money a week", help_text="How high it goes.")
    k = forms.FloatField(label="k, money a week", help_text="At which spend it bends.")
    exponent = forms.FloatField(label="Exponent", required=False, help_text="Of power and hill only.")

    field_order = ["family", "a", "k", "exponent", "reason", "expires_on"]


class PriorForm(_Adjustment):
    """What is known of a scope beforehand."""

    scope = forms.ChoiceField(
        label="Holds for",
        choices=[("sku", "This cell"), ("placement", "This placement at this retailer"), ("retailer", "This retailer")],
    )
    roas = forms.FloatField(label="Return of the usual spend", required=False, help_text="Sales per unit of spend.")
    scale = forms.FloatField(label="k, money a week", required=False, help_text="At which spend it bends.")
    spread = forms.ChoiceField(label="How sure", choices=SPREADS, initial="0.3")

    field_order = ["scope", "roas", "scale", "spread", "reason", "expires_on"]


class FactorForm(forms.Form):
    """Which share of attributed sales the ads caused, as a person judges it."""

    brand = forms.ChoiceField(label="Brand", required=False)
    retailer = forms.ChoiceField(label="Retailer", required=False)
    placement = forms.ChoiceField(
        label="Placement", required=False,
        choices=[("", "Any placement"), *((name, name.replace("_", " ")) for name in PLACEMENTS)],
    )  # fmt: skip
    mean = forms.FloatField(label="Factor", help_text="0.6: the ads caused 60 % of what is attributed to them.")
    standard_error = forms.FloatField(label="Standard error", help_text="In the unit of the factor.")
    valid_from = forms.DateField(label="From", required=False, widget=_DAY, help_text="First day it holds for.")
    reason = forms.CharField(label="Reason", max_length=LONGEST_FACTOR_REASON, help_text="Reports disclose it.")

    def __init__(self, *args: Any, brands: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        # Here and not in the class: rows of the tenant of this request.
        names = Retailer.objects.values_list("name", flat=True)
        self.fields["brand"].choices = brands  # type: ignore[attr-defined]
        self.fields["retailer"].choices = [("", "Any retailer"), *((name, name) for name in names)]  # type: ignore[attr-defined]


class ImportForm(forms.Form):
    """A file of posterior curves."""

    brand = forms.ChoiceField(label="Brand", required=False)
    file = forms.FileField(
        label="Parquet file", allow_empty_file=True, widget=forms.ClearableFileInput(attrs={"accept": ".parquet"}),
        help_text="One row per cell and draw: retailer, placement, sku, draw, family, a, k, and exponent, carry_over, "
        "reference_spend where there are any.",
    )  # fmt: skip
    source = forms.CharField(label="Source", max_length=120, help_text="What fitted them, such as PyMC-Marketing.")
    data_start = forms.DateField(label="Data from", widget=_DAY)
    data_end = forms.DateField(label="Data to", widget=_DAY)

    def __init__(self, *args: Any, brands: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.auto_id = "import_%s"
        self.fields["brand"].choices = brands  # type: ignore[attr-defined]


def show_problem(form: forms.Form, problem: Problem) -> None:
    """A refusal of the service beside the fields it is about."""
    told = problem.errors or [{"where": problem.where, "detail": problem.detail, "fix": problem.fix}]
    for error in told:
        field = str(error.get("where", "")).rpartition(" ")[2]
        words = " ".join(filter(None, (str(error["detail"]), str(error.get("fix", "")))))
        form.add_error(field if field in form.fields else None, words)
