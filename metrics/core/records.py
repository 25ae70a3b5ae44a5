"""A table of figures as plain values, the same for REST, command line and planner tools.

Money and counted outcomes are exact decimals written as text, ratios are numbers, and missing is null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from metrics.core.attribution_notices import shares_of
from metrics.core.definitions import DIMENSIONS, METRICS, Dimension, Metric, attributed_parts
from metrics.core.finality import finality_of
from metrics.core.incrementality import Factor
from metrics.core.request import Period
from metrics.core.suppression import WITHHELD
from metrics.core.table import CURRENCY, PREVIOUS, MetricTable, Provenance


def table_record(table: MetricTable) -> dict[str, Any]:
    """Everything a table says."""
    request = table.request
    return {
        "period": period_record(request.period),
        "comparison": period_record(request.comparison),
        "attribution": request.attribution,
        "common_rule": {
            "click_days": request.rule.click_days,
            "match": request.rule.match,
            "label": request.rule.label,
        },
        "money": request.money,
        "coverage": coverage_records(table),
        "dimensions": list(request.dimensions),
        "metrics": [
            {"name": name, "label": METRICS[name].label, "unit": METRICS[name].unit} for name in request.metrics
        ],
        "lines": line_records(table.lines, table),
        "line_count": table.line_count,
        "rest": line_records(table.rest, table, dimensions=()),
        "totals": line_records(table.totals, table, dimensions=()),
        "notices": [
            {"code": notice.code, "severity": notice.severity, "text": notice.text} for notice in table.notices
        ],
        **provenance_record(table.provenance),
    }


def period_record(period: Period | None) -> dict[str, str] | None:
    """Both days as ISO dates."""
    return None if period is None else {"start": period.start.isoformat(), "end": period.end.isoformat()}


def line_records(
    frame: pl.DataFrame, table: MetricTable, *, dimensions: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """Lines with the members they are of (`key`), what people call those (`labels`), and their figures."""
    shown = table.request.dimensions if dimensions is None else tuple(dimensions)
    labelled = [name for name in shown if DIMENSIONS[name].label_columns]
    metrics = table.request.metrics
    compared = table.request.compare != "none"
    finality = finality_of(table.provenance)
    return [
        {
            "key": {name: _plain(row[name]) for name in shown},
            "labels": {name: row[DIMENSIONS[name].label_name] for name in labelled},
            "currency": row[CURRENCY],
            "values": {name: _plain(row[name]) for name in metrics},
            "previous": {name: _plain(row[PREVIOUS + name]) for name in metrics} if compared else None,
            "withheld": {name: row[WITHHELD + name] for name in metrics if row.get(WITHHELD + name)},
            "finality": _finality_record(*finality.of(finality.accounts_of([row]))),
        }
        for row in frame.iter_rows(named=True)
    ]


def _finality_record(until: date | None, missing: int) -> dict[str, Any]:
    return {"restating_until": _plain(until), "missing_days": missing}


def coverage_records(table: MetricTable) -> list[dict[str, Any]]:
    """By currency the fraction of spend that is counted exactly or nearly under the common rule, and whose
    incrementality factor was published or tested; null where the request does not ask."""
    return [
        {
            "currency": share.currency,
            "exact": share.exact,
            "nearest": share.nearest,
            "measured": share.measured,
            "tested": share.tested,
        }
        for share in shares_of(table.totals)
    ]


def factor_record(factor: Factor) -> dict[str, Any]:
    """One incrementality factor in force."""
    return {
        "outcome": factor.outcome,
        "scope": factor.scope,
        "low": factor.low,
        "value": factor.value,
        "high": factor.high,
        "level": factor.level,
        "evidence": factor.evidence,
        "method": factor.method,
        "source": factor.source,
        "version": factor.version,
        "valid_from": _plain(factor.valid_from),
        "valid_to": _plain(factor.valid_to),
    }


def provenance_record(provenance: Provenance) -> dict[str, Any]:
    """Where the figures come from."""
    return {
        "as_of": provenance.as_of.isoformat() if provenance.as_of else None,
        "data_version": provenance.version,
        "reports_used": [
            {
                "network": item.network,
                "account": item.account,
                "report": item.report,
                "all_impressions": item.all_impressions,
                "first_day": item.first_day.isoformat(),
                "last_day": item.last_day.isoformat(),
                "rows": item.rows,
            }
            for item in provenance.reports
        ],
        "left_out": [
            {
                "network": item.network,
                "account": item.account,
                "report": item.report,
                "reason": item.reason,
                "currency": item.currency,
                "rows": item.rows,
                "spend": _plain(item.spend),
            }
            for item in provenance.left_out
        ],
        "missing_days": [
            {"network": item.network, "account": item.account, "days": [day.isoformat() for day in item.days]}
            for item in provenance.gaps
        ],
        "attributions": [
            {
                "network": item.network,
                "metric": item.metric,
                "column": item.column,
                "label": item.label,
                "fit": item.fit,
                "difference": item.difference,
            }
            for item in provenance.attributions
        ],
        "factors": [factor_record(factor) for factor in provenance.factors],
        "restating": [
            {"network": item.network, "account": item.account, "until": item.until.isoformat()}
            for item in provenance.restating
        ],
    }


def definition_records() -> dict[str, Any]:
    """The registry of metrics and dimensions."""
    return {
        "metrics": [_metric_record(metric) for metric in METRICS.values()],
        "dimensions": [_dimension_record(dimension) for dimension in DIMENSIONS.values()],
    }


def _metric_record(metric: Metric) -> Mapping[str, Any]:
    return {
        "name": metric.name,
        "label": metric.label,
        "unit": metric.unit,
        "additive": metric.additive,
        "attributed": bool(attributed_parts(metric.name)),
        "formula": metric.formula,
        "description": metric.description,
        "standard": metric.standard,
        "standing": metric.standing,
    }


def _dimension_record(dimension: Dimension) -> Mapping[str, Any]:
    return {
        "name": dimension.name,
        "label": dimension.label,
        "description": dimension.description,
        "can_filter": dimension.can_filter,
        "within": list(dimension.within),
    }


def plain_decimal(value: Decimal) -> str:
    """Without the zeros that storage adds, but money keeps its cents: 12.500000 -> 12.50, 3.000000 -> 3."""
    text = f"{value:f}"
    if "." not in text:
        return text
    whole, fraction = text.split(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction.ljust(2, '0')}" if fraction else whole


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain_decimal(value)
    return value.isoformat() if isinstance(value, date) else value
