"""The form that starts a programme. It only reads and shows; what is allowed is decided by the service."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms

from optimization.core.learning.policies import RECOMMENDED
from optimization.models import Solve
from tenants.core.problems import Problem

_AMOUNT = {"inputmode": "decimal", "autocomplete": "off"}
#: Field of the form for what the service names.
_FIELDS = {"settings.temperature": "temperature", "settings.reserve": "reserve_percent",
           "settings.forgetting": "forgetting_percent"}  # fmt: skip


class ProgrammeForm(forms.Form):
    """What a programme is started with. Percentages here are fractions everywhere else."""

    use_required_attribute = False

    name = forms.CharField(label="Name")
    first_week = forms.CharField(
        label="First week", widget=forms.DateInput(attrs={"type": "date"}), help_text="A Monday."
    )
    problem_weeks = forms.CharField(
        label="Weeks it covers", widget=forms.TextInput(attrs=_AMOUNT),
        help_text="Its curves and bounds are divided by them.",
    )  # fmt: skip
    weekly_budget = forms.CharField(
        label="Weekly budget", required=False, widget=forms.TextInput(attrs=_AMOUNT),
        help_text="Empty: the solved budget by its weeks.",
    )  # fmt: skip
    temperature = forms.CharField(
        label="Temperature", required=False, widget=forms.TextInput(attrs=_AMOUNT),
        help_text="How far draws go from what is expected: 0.01 to 0.3.",
    )  # fmt: skip
    reserve_percent = forms.CharField(
        label="Most for probes, %", required=False, widget=forms.TextInput(attrs=_AMOUNT),
        help_text="Given to lines that may be worth it, as long as they may.",
    )  # fmt: skip
    forgetting_percent = forms.CharField(
        label="Forgetting, % a week", required=False, widget=forms.TextInput(attrs=_AMOUNT),
        help_text="How far a line's return may move from week to week.",
    )  # fmt: skip

    @classmethod
    def suggested(cls, solve: Solve, *, weeks: str, first: date) -> ProgrammeForm:
        """The form as it is first shown."""
        given: dict[str, Any] = {
            "name": f"{solve.brand.name if solve.brand else 'All brands'}, week by week",
            "first_week": str(first),
            "problem_weeks": weeks if weeks.replace(".", "", 1).isdecimal() else "",
            "temperature": f"{RECOMMENDED.temperature:g}",
            "reserve_percent": f"{100 * RECOMMENDED.reserve:g}",
            "forgetting_percent": f"{100 * RECOMMENDED.forgetting:g}",
        }
        form = cls(initial=given)
        form.tell_weeks(solve)
        return form

    def tell_weeks(self, solve: Solve) -> None:
        """A solve that says of how many weeks it is need not be asked; what is typed then says otherwise."""
        if "weeks" in solve.inputs:
            self.initial.pop("problem_weeks", None)
            weeks = self.fields["problem_weeks"]
            weeks.required = False
            weeks.help_text = f"Empty: {solve.inputs['weeks']:.4g}, as its scenario says."

    def show(self, problem: Problem) -> None:
        """Tell what the service found where it was typed."""
        self.full_clean()
        self.errors.clear()  # the service's words, once, instead of the form's
        field = _FIELDS.get(problem.where, problem.where)
        self.add_error(field if field in self.fields else None, f"{problem.detail} {problem.fix}".strip())
