"""What a line of a budget is: a SKU in a placement at a retailer, with its place in the tree."""

from __future__ import annotations

from dataclasses import dataclass

#: Audiences are not told apart by the reports read so far; every cell addresses all of them.
EVERYBODY = "all audiences"


@dataclass(frozen=True, slots=True, order=True)
class CellKey:
    """One cell: retailer, canonical placement (`unknown` where the report has none) and the retailer's SKU id."""

    retailer: str
    placement: str
    sku: str

    @property
    def id(self) -> str:
        """Unique in a problem."""
        return f"{self.retailer}|{self.placement}|{self.sku}"

    @property
    def path(self) -> tuple[str, str, str, str, str]:
        """channel, network's retailer, placement, audience, SKU: the five levels of the tree."""
        return (channel_of(self.placement), self.retailer, self.placement, EVERYBODY, self.sku)


def channel_of(placement: str) -> str:
    """The channel a canonical placement belongs to."""
    if placement.startswith("onsite_search"):
        return "onsite search"
    if placement.startswith("onsite"):
        return "onsite display"
    if placement.startswith("offsite"):
        return "offsite"
    if placement.startswith("instore"):
        return "in store"
    return "placement not reported"
