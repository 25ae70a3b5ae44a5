"""What a reader must know of the attribution in force: the common rule and who can give it, the factors behind
incremental figures, and the rates behind converted money."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import polars as pl

from metrics.core.definitions import METRICS
from metrics.core.incrementality import EVIDENCE, Factor
from metrics.core.notices import listed, network_name
from metrics.core.parts import EXACT, MEASURED, NEAREST, TESTED, basis_of, outcomes_of
from metrics.core.request import NATIVE, MetricRequest
from metrics.core.table import CURRENCY, AttributionUsed, Notice, Provenance, Severity

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How much of the spend of one currency is covered, as fractions of it; None where the request does not ask.

    Attributes:
        exact, nearest: read exactly or nearly under the common rule.
        measured, tested: under a published incrementality factor, and under one that an experiment found.
    """

    currency: str | None
    exact: float | None
    nearest: float | None
    measured: float | None
    tested: float | None


def shares_of(totals: pl.DataFrame) -> tuple[Share, ...]:
    """Covered spend by currency, where the totals know it: a request without spend does not."""
    if "spend" not in totals.columns:
        return ()

    def part(line: dict[str, object], name: str) -> float | None:
        spend, covered = line["spend"], line.get(name)
        if name not in line or not spend:
            return None
        return float(covered or 0) / float(spend)  # type: ignore[arg-type]

    return tuple(
        Share(
            currency=line[CURRENCY],
            exact=part(line, EXACT),
            nearest=part(line, NEAREST),
            measured=part(line, MEASURED),
            tested=part(line, TESTED),
        )
        for line in totals.iter_rows(named=True)
    )


def attribution_notices(
    request: MetricRequest, totals: pl.DataFrame, provenance: Provenance, factors: Sequence[Factor]
) -> tuple[Notice, ...]:
    """Notices in the order in which they should be read."""
    return (
        *_common(request, totals, provenance.attributions),
        *_incremental(request, totals, factors),
        *_conversion(request, totals),
    )


def _weight(request: MetricRequest, attribution: str) -> Severity:
    """A column beside the attribution in force is read with less weight than figures that all rest on it."""
    return "warn" if request.attribution == attribution else "info"


def _common(request: MetricRequest, totals: pl.DataFrame, used: Sequence[AttributionUsed]) -> Iterator[Notice]:
    asked = [metric.name for metric in outcomes_of(request) if basis_of(metric, request) == "common_window"]
    if not asked:
        return
    weight = _weight(request, "common_window")
    told = "".join(
        f" In {share.currency} {share.exact:.0%} of spend is counted exactly so"
        f"{f', {share.nearest:.0%} nearly' if share.nearest else ''}"
        f"{f', {gap:.0%} not at all' if (gap := 1 - share.exact - (share.nearest or 0)) >= 0.005 else ''}."
        for share in shares_of(totals)
        if share.exact is not None
    )
    yield Notice(
        code="common_rule", severity="info", text=f"Common window: {request.rule.label}, for all networks.{told}"
    )
    read = [item for item in used if item.metric in asked]
    for (network, difference), names in _grouped(
        ((item.network, item.difference), item.metric) for item in read if item.fit == "nearest"
    ):
        yield Notice(
            code="nearest_rule",
            severity=weight,
            text=f"{network_name(network)} tells no {listed(names)} under that rule; the nearest it tells is shown: "
            f"{difference}.",
        )
    silent: dict[str, list[str]] = {}
    for item in read:
        if item.fit == "none":
            silent.setdefault(item.metric, []).append(item.network)
    for networks, names in _grouped((tuple(dict.fromkeys(silent[name])), name) for name in asked if name in silent):
        yield Notice(
            code="rule_not_told",
            severity=weight,
            text=f"{listed([network_name(network) for network in networks])} "
            f"{'tells' if len(networks) == 1 else 'tell'} no {listed(names)} of these purchases: the figure is missing "
            "there, and returns leave its spend out.",
        )


def _grouped(pairs: Iterable[tuple[Key, str]]) -> list[tuple[Key, list[str]]]:
    """Figures that the same is to be said of, by what they are of: sales of the common window are sales here."""
    found: dict[Key, dict[str, None]] = {}
    for key, name in pairs:
        metric = METRICS[name]
        words = METRICS[metric.outcome].label if metric.ntb == "all" else metric.label
        found.setdefault(key, {})[words.lower()] = None
    return [(key, list(names)) for key, names in found.items()]


def _incremental(request: MetricRequest, totals: pl.DataFrame, factors: Sequence[Factor]) -> Iterator[Notice]:
    asked = {metric.outcome for metric in outcomes_of(request) if basis_of(metric, request) == "incremental"}
    if not asked:
        return
    if untested := sorted(asked - {factor.outcome for factor in factors}):
        yield Notice(
            code="no_factors",
            severity=_weight(request, "incremental"),
            text=f"No incrementality factor is published for {listed(untested)}: it is taken as 1, so the figures are "
            "those that networks report, not what the ads caused.",
        )
    if factors:
        kinds = sorted({EVIDENCE[factor.evidence] for factor in factors})
        noun = "factor" if len(factors) == 1 else "factors"
        yield Notice(
            code="factors_used",
            severity="info",
            text=f"Incremental figures are attributed ones times {len(factors)} published {noun} ({listed(kinds)}). "
            "Low and high ends are added up, so intervals of sums are wide rather than narrow.",
        )
    for share in shares_of(totals):
        if share.measured is not None and share.measured < 0.995:
            yield Notice(
                code="partly_measured",
                severity=_weight(request, "incremental"),
                text=f"{share.measured:.0%} of the spend in {share.currency} has a factor; the rest counts as "
                "untested, with factor 1.",
            )


def _conversion(request: MetricRequest, totals: pl.DataFrame) -> Iterator[Notice]:
    if request.money == NATIVE:
        return
    left = sorted(str(code) for code in totals[CURRENCY].drop_nulls() if code != request.money)
    yield Notice(
        code="converted",
        severity="info",
        text=f"Money is in {request.money}, each row at the rate of its own day.",
    )
    if left:
        yield Notice(
            code="rate_missing",
            severity="warn",
            text=f"Some rows in {listed(left)} have no rate to {request.money} for their day. They are left in their "
            "own currency and are not added.",
        )
