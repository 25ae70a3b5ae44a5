"""What an attributed figure means, and the column on disk that carries the whole of it.

Attributed outcomes are a long table in thought (one row per metric, window, product scope, channel, new-to-brand split
and model) and wide columns on disk: the column's name carries every qualifier, so a table grows by schema evolution
and no qualifier is ever lost.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, Literal

Metric = Literal[
    "sales",
    "orders",
    "units",
    "add_to_cart",
    "detail_page_views",
    "view_through_conversions",
    "assisted_sales",
    "assisted_units",
]
Match = Literal["same_sku", "parent_sku", "category", "brand", "halo", "campaign", "total"]
Channel = Literal["online", "store", "pickup", "delivery", "all"]
Ntb = Literal["all", "new", "existing"]
Touch = Literal["click", "view", "both"]
Model = Literal["last_touch", "linear", "first_touch", "data_driven"]
GrossNet = Literal["gross", "net"]

MONEY_METRICS: Final = frozenset({"sales", "assisted_sales"})
#: Qualifiers that most figures do without: a part of the column's name only where they say something.
_VIEW_MATCH: Final = "vm_"
_LOOKBACK: Final = "nl_"
_GROSS_NET: Final = "gn_"
_WINDOW = re.compile(r"^[cv](x|[1-9]\d{0,2})$")


@dataclass(frozen=True, slots=True)
class Attribution:
    """What one attributed figure means.

    `click_days` and `view_days` are look-back windows in days; None means that kind of touch earns no credit.
    `match` says which purchases count: of the advertised product (same_sku), of the brand's other products (halo), of
    both (total), or of everything in its category, brand or campaign. Networks that credit views under another rule
    than clicks (Criteo by default: same category after a click, same product after a view) carry the rule for views in
    `view_match`; None means that it is the same. `ntb_lookback_months` is how long a new buyer had bought nothing,
    `gross_net` whether cancelled and returned orders count; None where the network does not say. The value's dtype is
    `MONEY` for every metric: modelled orders and units can be fractions.
    """

    metric: Metric
    click_days: int | None
    view_days: int | None
    touch: Touch
    match: Match
    channel: Channel = "all"
    ntb: Ntb = "all"
    model: Model = "last_touch"
    view_match: Match | None = None
    ntb_lookback_months: int | None = None
    gross_net: GrossNet | None = None

    @property
    def column(self) -> str:
        """The canonical column, e.g. `att__sales__c14__vx__click__same_sku__all__all__last_touch`."""
        parts = [
            "att",
            self.metric,
            f"c{self.click_days or 'x'}",
            f"v{self.view_days or 'x'}",
            self.touch,
            self.match,
            self.channel,
            self.ntb,
            self.model,
        ]
        if self.view_match is not None:
            parts.append(_VIEW_MATCH + self.view_match)
        if self.ntb_lookback_months is not None:
            parts.append(f"{_LOOKBACK}{self.ntb_lookback_months}")
        if self.gross_net is not None:
            parts.append(_GROSS_NET + self.gross_net)
        return "__".join(parts)

    @classmethod
    def parse(cls, column: str) -> Attribution:
        """The inverse of `column`.

        Raises:
            ValueError: the name is not that of an attribution column.
        """
        parts = column.split("__")
        if len(parts) < 9 or parts[0] != "att":
            raise ValueError(f"{column!r} is not an attribution column")
        rare = _rare_qualifiers(column, parts[9:])
        metric, click, view, touch, match, channel, ntb, model = parts[1:9]
        if not (_WINDOW.match(click) and click[0] == "c" and _WINDOW.match(view) and view[0] == "v"):
            raise ValueError(f"{column!r}: {click}, {view} are no windows")
        known = {
            "metric": (metric, Metric),
            "touch": (touch, Touch),
            "match": (match, Match),
            "channel": (channel, Channel),
            "ntb": (ntb, Ntb),
            "model": (model, Model),
        }
        for qualifier, vocabulary in (("view_match", Match), ("gross_net", GrossNet)):
            if qualifier in rare:
                known[qualifier] = (rare[qualifier], vocabulary)
        for qualifier, (value, vocabulary) in known.items():
            if value not in vocabulary.__args__:  # type: ignore[attr-defined]
                raise ValueError(f"{column!r}: {value!r} is no {qualifier}")
        return cls(
            metric=metric,  # type: ignore[arg-type]
            click_days=None if click == "cx" else int(click[1:]),
            view_days=None if view == "vx" else int(view[1:]),
            touch=touch,  # type: ignore[arg-type]
            match=match,  # type: ignore[arg-type]
            channel=channel,  # type: ignore[arg-type]
            ntb=ntb,  # type: ignore[arg-type]
            model=model,  # type: ignore[arg-type]
            view_match=rare.get("view_match"),  # type: ignore[arg-type]
            ntb_lookback_months=int(rare["ntb_lookback_months"]) if "ntb_lookback_months" in rare else None,
            gross_net=rare.get("gross_net"),  # type: ignore[arg-type]
        )

    @property
    def label(self) -> str:
        """For people: `sales, 14-day click, same_sku`."""
        windows = [
            f"{days}-day {kind}" for kind, days in (("click", self.click_days), ("view", self.view_days)) if days
        ]
        scope = self.match if self.view_match is None else f"{self.match} (views: {self.view_match})"
        extras: list[str] = [value for value in (self.channel, self.ntb) if value != "all"]
        if self.ntb_lookback_months is not None:
            extras.append(f"{self.ntb_lookback_months}-month look-back")
        if self.gross_net is not None:
            extras.append(self.gross_net)
        return ", ".join([self.metric, " + ".join(windows), scope, *extras])

    def qualifiers(self) -> dict[str, str | int | None]:
        """The qualifiers by name; those that most figures do without only where they say something."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in named.items() if value is not None or name not in _RARE.values()}


_RARE: Final = {_VIEW_MATCH: "view_match", _LOOKBACK: "ntb_lookback_months", _GROSS_NET: "gross_net"}


def _rare_qualifiers(column: str, parts: Sequence[str]) -> dict[str, str]:
    """The optional last parts of a column's name, each at most once and in their order."""
    found: dict[str, str] = {}
    order = list(_RARE)
    for part in parts:
        prefix = part[:3]
        if prefix not in order:
            raise ValueError(f"{column!r}: {part!r} is no qualifier here")
        order = order[order.index(prefix) + 1 :]
        value = part.removeprefix(prefix)
        if prefix == _LOOKBACK and not re.fullmatch(r"[1-9]\d{0,2}", value):
            raise ValueError(f"{column!r}: {value!r} are no months")
        found[_RARE[prefix]] = value
    return found
