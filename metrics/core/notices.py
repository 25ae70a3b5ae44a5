"""What a reader must know to read a table of figures right, told in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from harmonization.core.rmis import Attribution
from metrics.core.coverage import Coverage, LeftOut
from metrics.core.definitions import DIMENSIONS, METRICS, additive_parts
from metrics.core.incrementality import OUTCOMES
from metrics.core.parts import basis_of
from metrics.core.request import NATIVE, MetricRequest
from metrics.core.table import CURRENCY, AttributionUsed, Notice

_TONES = {"amazon_ads": "n1", "walmart_connect": "n2", "criteo": "n3"}


def network_tone(network: str) -> str:
    """The colour a network has on every page: n1, n2, ...; one that is new here shares the last."""
    return _TONES.get(network, "n4")


def network_name(network: str | None) -> str:
    """What people call a network: its slug, in words."""
    return (network or "unknown network").replace("_", " ").title()


def report_name(report: str) -> str:
    """What people call a report: its slug, in words."""
    words = report.split("_")
    return " ".join(["SP" if words[0] == "sp" else words[0], *words[1:]])


def notices_for(
    request: MetricRequest,
    lines: pl.DataFrame,
    coverage: Coverage,
    attributions: Sequence[AttributionUsed],
    before: Coverage | None = None,
) -> tuple[Notice, ...]:
    """Notices in the order in which they should be read. `before` is the coverage of the comparison."""
    return (
        *_nothing_here(request, lines),
        *_several_currencies(request, lines),
        *_partial_reports(request, coverage),
        *_not_told(request, coverage),
        *_no_outcomes(request, coverage, attributions),
        *_beyond_the_grain(request, lines),
        *_left_out(coverage.left_out),
        *_gaps(coverage),
        *_no_comparison(coverage, before),
        *_counted_differently(request, attributions),
    )


def _nothing_here(request: MetricRequest, lines: pl.DataFrame) -> Iterator[Notice]:
    if lines.is_empty():
        period = request.period
        yield Notice(
            code="no_rows",
            severity="info",
            text=f"No published row from {period.start:%d %b %Y} to {period.end:%d %b %Y} fits this selection.",
        )


def _several_currencies(request: MetricRequest, lines: pl.DataFrame) -> Iterator[Notice]:
    if request.money != NATIVE:
        return
    codes = sorted(str(code) for code in lines[CURRENCY].drop_nulls().unique())
    if len(codes) > 1:
        yield Notice(
            code="several_currencies",
            severity="warn",
            text=f"Figures are in {listed(codes)}. They are not converted, so each currency has its own total.",
        )


def _partial_reports(request: MetricRequest, coverage: Coverage) -> Iterator[Notice]:
    partial = [item for item in coverage.used if not item.all_impressions]
    touched = [METRICS[name].label for name in request.metrics if _rests_on_impressions(name)]
    for network, reports in _by_network((item.network, item.report) for item in partial):
        effect = f" {listed(touched)} cannot be compared with other reports." if touched else ""
        yield Notice(
            code="partial_report",
            severity="warn",
            text=f"The {listed(reports)} report of {network_name(network)} holds only what was clicked at least once."
            f"{effect}",
        )


def _rests_on_impressions(name: str) -> bool:
    return "impressions" in additive_parts([name])


def _not_told(request: MetricRequest, coverage: Coverage) -> Iterator[Notice]:
    for name in dict.fromkeys((*request.dimensions, *request.filters)):
        dimension = DIMENSIONS[name]
        if dimension.of_account or dimension.grain:
            continue
        silent = ((item.network, item.report) for item in coverage.used if name not in item.told)
        for network, reports in _by_network(silent):
            where = "left out by the filter" if name in request.filters else "on the line without a name"
            yield Notice(
                code="dimension_not_told",
                severity="warn",
                text=f"The {listed(reports)} report of {network_name(network)} does not tell the "
                f"{dimension.label.lower()}: its figures are {where}.",
            )


def _no_outcomes(
    request: MetricRequest, coverage: Coverage, attributions: Sequence[AttributionUsed]
) -> Iterator[Notice]:
    told = {(item.network, item.metric) for item in attributions}
    networks = sorted({item.network for item in coverage.used})
    for name in additive_parts(request.metrics):
        metric = METRICS[name]
        silent = [network_name(network) for network in networks if (network, name) not in told]
        if metric.outcome and silent and basis_of(metric, request) != "common_window":
            yield Notice(
                code="metric_not_reported",
                # Few networks tell new buyers, carts and page views; that they do not is no reason for care.
                severity="warn" if metric.ntb == "all" and metric.outcome in OUTCOMES else "info",
                text=f"{listed(silent)} {'reports' if len(silent) == 1 else 'report'} no {metric.label.lower()}: "
                "the figure is missing there, and totals and ratios count only what is reported.",
            )


def _beyond_the_grain(request: MetricRequest, lines: pl.DataFrame) -> Iterator[Notice]:
    for name in request.dimensions:
        grain = DIMENSIONS[name].grain
        if grain is None or not (count := lines[name].null_count()):
            continue
        spans = f"span more than one {grain} and are not split: they stand on the line without a {name}"
        noun = "line's rows" if count == 1 else "lines' rows"
        yield Notice(code="grain_mismatch", severity="warn", text=f"{count} {noun} {spans}.")


def _left_out(items: Iterable[LeftOut]) -> Iterator[Notice]:
    for item in items:
        report = f"the {report_name(item.report)} report of {network_name(item.network)} ({item.account})"
        who = f"{item.rows:,} rows of {report}"
        money = f"{item.currency or ''} {item.spend:,.2f} of spend".strip()
        if item.reason == "straddles":
            yield Notice(
                code="straddling_rows",
                severity="warn",
                text=f"{who}, {money}, reach out of the period. They cannot be split by day and are left out.",
            )
        else:
            yield Notice(
                code="repeated_report",
                severity="info",
                text=f"{who}, {money}, repeat days that another report of the account tells. They are not added.",
            )


def _gaps(coverage: Coverage) -> Iterator[Notice]:
    for gap in coverage.gaps:
        days = f"{gap.days[0]:%-d %b}" if len(gap.days) == 1 else f"{gap.days[0]:%-d %b} to {gap.days[-1]:%-d %b}"
        count = "1 day" if len(gap.days) == 1 else f"{len(gap.days)} days"
        yield Notice(
            code="days_missing",
            severity="warn",
            text=f"{network_name(gap.network)} ({gap.account}) has no rows for {count} ({days}): "
            "nothing was delivered, or a report is missing.",
        )


def _no_comparison(coverage: Coverage, before: Coverage | None) -> Iterator[Notice]:
    if before is None:
        return
    compared = {item.account_id for item in before.used}
    silent = sorted({item.account for item in coverage.used if item.account_id not in compared})
    if silent:
        yield Notice(
            code="nothing_to_compare",
            severity="warn",
            text=f"No figures of {listed(silent)} lie in the comparison period: differences count them as new.",
        )
    present = {item.account_id for item in coverage.used}
    gone = sorted({item.account for item in before.used if item.account_id not in present})
    if gone:
        yield Notice(
            code="nothing_now",
            severity="warn",
            text=f"{listed(gone)} has figures in the comparison period and none in this one."
            if len(gone) == 1
            else f"{listed(gone)} have figures in the comparison period and none in this one.",
        )
    if torn := [item for item in before.left_out if item.reason == "straddles"]:
        rows = sum(item.rows for item in torn)
        yield Notice(
            code="comparison_incomplete",
            severity="warn",
            text=f"{rows:,} rows reach out of the comparison period and are left out of it: they cannot be split.",
        )


def _counted_differently(request: MetricRequest, attributions: Sequence[AttributionUsed]) -> Iterator[Notice]:
    reported = {
        name
        for name in additive_parts(request.metrics)
        if METRICS[name].outcome == "sales" and METRICS[name].ntb == "all"
    }
    rules: dict[str, list[str]] = {}
    for item in sorted(set(attributions), key=lambda item: (item.network, item.column)):
        if item.metric in reported and item.fit == "headline" and _rule(item.column) not in rules.get(item.network, []):
            rules.setdefault(item.network, []).append(_rule(item.column))
    if len({rule for found in rules.values() for rule in found}) > 1:
        told = "; ".join(f"{network_name(network)} counts {listed(found)}" for network, found in rules.items())
        yield Notice(code="networks_count_differently", severity="info", text=f"Networks do not count alike. {told}.")


def _rule(column: str) -> str:
    """Window and match of an attribution, without the name of the metric."""
    return Attribution.parse(column).label.partition(", ")[2].replace("_", " ")


def _by_network(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    found: dict[str, dict[str, None]] = {}
    for network, report in sorted(pairs):
        found.setdefault(network, {})[report_name(report)] = None
    for network, reports in found.items():
        yield network, list(reports)


def listed(words: Sequence[str]) -> str:
    """`a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
