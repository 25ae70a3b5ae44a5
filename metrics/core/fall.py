"""Why returns fall from what networks report to what the attribution in force counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from metrics.core.attribution import parsed
from metrics.core.notices import listed, network_name
from metrics.core.table import AttributionUsed, MetricTable, roll_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """ROAS as reported and under the attribution in force, over the same spend, and why they differ.

    Attributes:
        causes: (words, share of the difference in sales), the largest first.
        left_out: networks that do not tell it: they are in neither figure.
    """

    before: float
    after: float
    causes: tuple[tuple[str, float], ...]
    left_out: tuple[str, ...]

    @property
    def headline(self) -> str:
        """The change in a sentence."""
        if f"{self.before:.2f}" == f"{self.after:.2f}":
            return f"ROAS stays at {self.after:.2f}."
        return f"ROAS {'falls' if self.after < self.before else 'rises'} from {self.before:.2f} to {self.after:.2f}."

    @property
    def reason(self) -> str:
        """Why, in a sentence or two; empty where nothing differs."""
        told = []
        if self.causes:
            parts = [f"{share:.0%} of the difference comes from {words}" for words, share in self.causes]
            told.append(f"{listed(parts)}.")
        if self.left_out:
            told.append(
                f"{listed([network_name(name) for name in self.left_out])} cannot be counted so and is in neither."
            )
        return " ".join([*told, "Spend is unchanged."])


def fall_of(table: MetricTable) -> Fall | None:
    """Of a table of one currency that is split by network and asks for sales and reported ROAS.

    None where there is nothing to compare.
    """
    if "network" not in table.request.dimensions or table.lines.is_empty():
        return None
    lines = list(roll_up(table.lines, table.request, ("network",)).iter_rows(named=True))
    both = [line for line in lines if line["sales"] is not None and line["reported_sales"] is not None]
    spend = sum(float(line["spend"] or 0) for line in both)
    if not spend:
        return None
    differences = {line["network"]: float(line["reported_sales"]) - float(line["sales"]) for line in both}
    return Fall(
        before=sum(float(line["reported_sales"]) for line in both) / spend,
        after=sum(float(line["sales"]) for line in both) / spend,
        causes=tuple(_causes(differences, table.provenance.attributions)),
        left_out=tuple(sorted(line["network"] for line in lines if line not in both and line["network"])),
    )


def _causes(differences: dict[str, float], used: Sequence[AttributionUsed]) -> Iterable[tuple[str, float]]:
    total = sum(differences.values())
    found: dict[str, float] = {}
    for network, difference in differences.items():
        words = _why(network, used)
        if words and difference:
            found[words] = found.get(words, 0.0) + difference
    # A share of a difference means something only where all parts go the same way.
    if not total or any(part * total < 0 for part in found.values()):
        return []
    return [(words, part / total) for words, part in sorted(found.items(), key=lambda item: -abs(item[1]))]


def _why(network: str, used: Sequence[AttributionUsed]) -> str:
    """How the rules of a network differ, in words; networks that differ in the same way share a cause."""
    reported = [_rule(item) for item in used if item.network == network and item.metric == "reported_sales"]
    counted = [_rule(item) for item in used if item.network == network and item.metric == "sales" and item.column]
    if not reported or not counted:
        return ""
    parts = []
    if {rule["views"] for rule in reported} != {rule["views"] for rule in counted}:
        parts.append("sales after views")
    if {rule["match"] for rule in reported} != {rule["match"] for rule in counted}:
        parts.append("sales of other products")
    if {rule["days"] for rule in reported} != {rule["days"] for rule in counted}:
        parts.append("another window")
    return listed(parts)


def _rule(item: AttributionUsed) -> dict[str, Any]:
    rule = parsed(item.column)
    return {"views": rule.view_days, "match": rule.match, "days": rule.click_days}
