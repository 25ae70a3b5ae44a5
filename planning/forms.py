"""The builder's form. It only reads and shows; what is allowed is decided by `planning.core.terms`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms

from optimization.core.problem import Path
from planning.constraint_rows import (
    ARROW,
    BoundRow,
    fraction,
    given_by_rows,
    percent,
    plain,
    row_at,
    rows_of,
    rows_posted,
    with_spare_rows,
)
from planning.core.terms import ScenarioTerms
from tenants.core.problems import Problem

__all__ = [
    "ARROW",
    "BoundRow",
    "ScenarioForm",
    "given_by",
    "initial_of",
    "rows_of",
    "rows_posted",
    "show_errors",
    "with_spare_rows",
]

_DAY = {"type": "date"}
_AMOUNT = {"inputmode": "decimal", "autocomplete": "off"}


#: Fields of a scenario by another name in the form, or of which the form has one for a whole list.
_NAMES = {
    "reserve_fraction": "reserve_percent",
    "max_change_fraction": "max_change_percent",
    "margin_fraction": "margin_percent",
    "fair_fraction": "fair_percent",
    "weekly_budgets": "weekly_budgets",
    "season": "season",
    "tail_fraction": "tail_percent",
}
_OBJECTIVES = [
    ("sales", "Sales, as reported"),
    ("incremental_sales", "Incremental sales"),
    ("profit", "Profit: margin less spend"),
]
_MODES = [
    ("fixed_budget", "The whole budget"),
    ("flexible_target_roi", "As much as keeps the return over all"),
    ("flexible_target_marginal_roi", "As long as the next unit returns enough"),
    ("incremental_only", "Only the extra money"),
]
_IROAS_BY = [("expected", "Expected factors"), ("cautious", "Cautious factors")]
_LEVELS = [
    ("", "Nobody in particular"),
    ("channel", "Every channel"),
    ("rmn", "Every retailer"),
    ("placement", "Every placement"),
    ("sku", "Every SKU"),
]


class ScenarioForm(forms.Form):
    """What is asked of a budget. Percentages here are fractions everywhere else."""

    use_required_attribute = False

    name = forms.CharField(label="Name")
    horizon_start = forms.CharField(label="First day", widget=forms.DateInput(attrs=_DAY))
    horizon_end = forms.CharField(label="Last day", widget=forms.DateInput(attrs=_DAY))
    total_budget = forms.CharField(label="Total budget", widget=forms.TextInput(attrs=_AMOUNT))
    min_roas = forms.CharField(
        label="Least ROAS", required=False, widget=forms.TextInput(attrs=_AMOUNT),
        help_text="Expected sales per unit of spend, over the whole. Empty: no limit.",
    )  # fmt: skip
    reserve_percent = forms.CharField(
        label="Experiment reserve, %", required=False, widget=forms.TextInput(attrs=_AMOUNT),
        help_text="Held back from the budget.",
    )  # fmt: skip
    stock_cover_threshold_days = forms.CharField(
        label="Least stock cover, days", required=False, widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text="A line whose stock lasts less gets no spend. 0: do not look at stock.",
    )  # fmt: skip
    max_change_percent = forms.CharField(
        label="Largest change of a line, %", required=False, widget=forms.TextInput(attrs=_AMOUNT),
        help_text="Against its current spend. Empty: no limit.",
    )  # fmt: skip
    objective = forms.ChoiceField(label="Maximise", required=False, choices=_OBJECTIVES)
    mode = forms.ChoiceField(
        label="Spend", required=False, choices=_MODES,
        help_text="With a return to keep, the budget is a ceiling. Only the extra money: no line loses what it has.",
    )  # fmt: skip
    target = forms.CharField(
        label="Return to keep", required=False, widget=forms.TextInput(attrs=_AMOUNT),
        help_text="Per unit of spend. Only where the spend depends on it.",
    )  # fmt: skip
    margin_percent = forms.CharField(
        label="Usual margin, %", required=False, widget=forms.TextInput(attrs=_AMOUNT),
        help_text="For profit, where the catalogue knows no margin.",
    )  # fmt: skip
    min_iroas = forms.CharField(
        label="Least incremental ROAS", required=False, widget=forms.TextInput(attrs=_AMOUNT),
        help_text="Empty: no limit.",
    )  # fmt: skip
    min_iroas_by = forms.ChoiceField(
        label="Incremental ROAS is judged by", required=False, choices=_IROAS_BY,
        help_text="Cautious: what factors are at least in four of five cases.",
    )  # fmt: skip
    max_cpa = forms.CharField(
        label="Most cost per order", required=False, widget=forms.TextInput(attrs=_AMOUNT),
        help_text="Empty: no limit.",
    )  # fmt: skip
    fair_level = forms.ChoiceField(
        label="Keeps a part", required=False, choices=_LEVELS, help_text="Of the share of all spend it has now."
    )
    fair_percent = forms.CharField(
        label="At least, % of its part", required=False, widget=forms.TextInput(attrs=_AMOUNT)
    )
    weekly_budgets = forms.CharField(
        label="Weekly budgets", required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="One amount for each week, as 900; 900; 1200. Unspent money rolls forward. Empty: no week has one.",
    )  # fmt: skip
    season = forms.CharField(
        label="Seasons of the weeks", required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="One for each week, as 1; 1; 1.4: what the same money sells against a usual week. Empty: all usual.",
    )  # fmt: skip
    tail_percent = forms.CharField(
        label="Count only the worst, %", required=False, widget=forms.TextInput(attrs=_AMOUNT),
        help_text="10: the mean of the worst tenth of what may be true is maximised. Empty: the expected value.",
    )  # fmt: skip


def initial_of(terms: ScenarioTerms) -> dict[str, str]:
    """The fields of a stored scenario as a person would type them."""
    return {
        "name": terms.name,
        "horizon_start": str(terms.horizon_start),
        "horizon_end": str(terms.horizon_end),
        "total_budget": str(terms.total_budget),
        "min_roas": plain(terms.min_roas),
        "reserve_percent": percent(terms.reserve_fraction),
        "stock_cover_threshold_days": str(terms.stock_cover_threshold_days),
        "max_change_percent": percent(terms.max_change_fraction),
        "objective": terms.objective,
        "mode": terms.mode,
        "target": plain(terms.target),
        "min_iroas": plain(terms.min_iroas),
        "min_iroas_by": terms.min_iroas_by,
        "max_cpa": plain(terms.max_cpa),
        "margin_percent": percent(terms.margin_fraction),
        "fair_level": terms.fair_level,
        "fair_percent": percent(terms.fair_fraction),
        "weekly_budgets": "; ".join(plain(amount) for amount in terms.weekly_budgets),
        "season": "; ".join(plain(index) for index in terms.season),
        "tail_percent": percent(terms.tail_fraction),
    }


def given_by(data: Mapping[str, str], rows: Sequence[BoundRow], paths: Mapping[Path, int]) -> dict[str, Any]:
    """What was typed, as `read_terms` takes it."""
    return {
        "name": data.get("name", ""),
        "horizon_start": data.get("horizon_start", ""),
        "horizon_end": data.get("horizon_end", ""),
        "total_budget": data.get("total_budget", ""),
        "min_roas": data.get("min_roas", ""),
        "reserve_fraction": fraction(data.get("reserve_percent", "")),
        "stock_cover_threshold_days": data.get("stock_cover_threshold_days", ""),
        "max_change_fraction": fraction(data.get("max_change_percent", "")),
        "objective": data.get("objective", ""),
        "mode": data.get("mode", ""),
        "target": data.get("target", ""),
        "min_iroas": data.get("min_iroas", ""),
        "min_iroas_by": data.get("min_iroas_by", ""),
        "max_cpa": data.get("max_cpa", ""),
        "margin_fraction": fraction(data.get("margin_percent", "")),
        "fair_level": data.get("fair_level", ""),
        "fair_fraction": fraction(data.get("fair_percent", "")),
        "weekly_budgets": _parts(data.get("weekly_budgets", "")),
        "season": _parts(data.get("season", "")),
        "tail_fraction": fraction(data.get("tail_percent", "")),
    } | given_by_rows(rows, paths)


def _parts(typed: str) -> list[str]:
    return [part for part in re.split(r"[;\s]+", typed) if part]


def show_errors(form: ScenarioForm, rows: Sequence[BoundRow], problem: Problem) -> list[BoundRow]:
    """Write findings beside the fields they are of; returns the rows with theirs."""
    of_rows: dict[int, list[str]] = {}
    for error in problem.errors or [problem.as_dict()]:
        where, text = str(error.get("where", "")), f"{error['detail']} {error.get('fix', '')}".strip()
        name = _NAMES.get(where.partition("[")[0], where)
        if (row := row_at(rows, where)) is not None:
            of_rows.setdefault(row.number, []).append(text)
        elif name in form.fields:
            form.add_error(name, text)
        else:
            form.add_error(None, f"{where}: {text}" if where else text)
    return [replace(row, errors=tuple(of_rows.get(row.number, ()))) for row in rows]
