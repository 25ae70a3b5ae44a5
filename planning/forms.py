"""The builder's form. It only reads and shows; what is allowed is decided by `planning.core.terms`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.http import QueryDict

from optimization.core.problem import Path
from planning.core.terms import MOST_BOUNDS, ScenarioTerms
from tenants.core.problems import Problem

ARROW = " > "
SPARE_ROWS = 3

_DAY = {"type": "date"}
_AMOUNT = {"inputmode": "decimal", "autocomplete": "off"}


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


@dataclass(frozen=True)
class BoundRow:
    """A row of the constraint table as typed."""

    number: int
    path: str = ""
    low: str = ""
    high: str = ""
    errors: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.path or self.low or self.high)


def initial_of(terms: ScenarioTerms) -> dict[str, str]:
    """The fields of a stored scenario as a person would type them."""
    return {
        "name": terms.name,
        "horizon_start": str(terms.horizon_start),
        "horizon_end": str(terms.horizon_end),
        "total_budget": str(terms.total_budget),
        "min_roas": _plain(terms.min_roas),
        "reserve_percent": _plain(terms.reserve_fraction * 100),
        "stock_cover_threshold_days": str(terms.stock_cover_threshold_days),
        "max_change_percent": _plain(terms.max_change_fraction and terms.max_change_fraction * 100),
    }


def rows_of(terms: ScenarioTerms | None) -> list[BoundRow]:
    """The bounds of a scenario, and spare rows below."""
    bounds = terms.bounds if terms else ()
    rows = [
        BoundRow(number, ARROW.join(bound.path), _plain(bound.min_spend), _plain(bound.max_spend))
        for number, bound in enumerate(bounds)
    ]
    return with_spare_rows(rows)


def rows_posted(data: QueryDict) -> list[BoundRow]:
    """The rows of a sent form, empty ones left out."""
    return list(_rows_posted(data))


def _rows_posted(data: QueryDict) -> Iterator[BoundRow]:
    kept = 0
    for number in range(MOST_BOUNDS + SPARE_ROWS):
        if f"bound-{number}-path" not in data:
            continue
        path, low, high = (data.get(f"bound-{number}-{name}", "").strip() for name in ("path", "low", "high"))
        row = BoundRow(kept, path, low, high)
        if not row.is_empty:
            kept += 1
            yield row


def with_spare_rows(rows: Sequence[BoundRow]) -> list[BoundRow]:
    """Rows with some empty ones below to type into."""
    return [*rows, *(BoundRow(len(rows) + at) for at in range(SPARE_ROWS))]


def given_by(data: Mapping[str, str], rows: Sequence[BoundRow], paths: Mapping[Path, int]) -> dict[str, Any]:
    """What was typed, as `read_terms` takes it."""
    known = {ARROW.join(path): path for path in paths}
    return {
        "name": data.get("name", ""),
        "horizon_start": data.get("horizon_start", ""),
        "horizon_end": data.get("horizon_end", ""),
        "total_budget": data.get("total_budget", ""),
        "min_roas": data.get("min_roas", ""),
        "reserve_fraction": _fraction(data.get("reserve_percent", "")),
        "stock_cover_threshold_days": data.get("stock_cover_threshold_days", ""),
        "max_change_fraction": _fraction(data.get("max_change_percent", "")),
        "bounds": [
            {
                "path": list(
                    known.get(row.path, tuple(part.strip() for part in row.path.split(ARROW.strip()) if part.strip()))
                ),
                "min_spend": row.low,
                "max_spend": row.high,
            }
            for row in rows
        ],
    }


def show_errors(form: ScenarioForm, rows: Sequence[BoundRow], problem: Problem) -> list[BoundRow]:
    """Write findings beside the fields they are of; returns the rows with theirs."""
    fields = {"reserve_fraction": "reserve_percent", "max_change_fraction": "max_change_percent"}
    of_rows: dict[int, list[str]] = {}
    for error in problem.errors or [problem.as_dict()]:
        where, text = str(error.get("where", "")), f"{error['detail']} {error.get('fix', '')}".strip()
        name = fields.get(where, where)
        if where.startswith("bounds["):
            of_rows.setdefault(int(where[len("bounds[") :].partition("]")[0]), []).append(text)
        elif name in form.fields:
            form.add_error(name, text)
        else:
            form.add_error(None, f"{where}: {text}" if where else text)
    return [BoundRow(row.number, row.path, row.low, row.high, tuple(of_rows.get(row.number, ()))) for row in rows]


def _fraction(percent: str) -> Any:
    try:
        return Decimal(percent.replace(",", "").strip()) / 100 if percent.strip() else ""
    except InvalidOperation:
        return percent


def _plain(value: Decimal | None) -> str:
    if value is None:
        return ""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
