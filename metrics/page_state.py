"""What the Performance page shows is all in its address: read here, and written back for every link of the page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.http import QueryDict

from metrics.core.columns import ALWAYS, COLUMNS, DEFAULT_COLUMNS, metrics_behind
from metrics.core.ids import with_plain_ids
from metrics.core.performance import CHARTED, KEY_FIGURES, TABS, Tab
from metrics.core.request import ATTRIBUTIONS, BASE, NATIVE, MetricRequest, read_request
from metrics.core.time_series import grain_of
from metrics.parameters import FILTERS, read_day, read_filters, read_instant, read_window
from tenants.core.problems import InvalidInput

#: Days back from the last day with data.
PRESETS: Final = ((28, "4 weeks"), (84, "12 weeks"), (182, "26 weeks"), (364, "52 weeks"))
DEFAULT_DAYS: Final = 84
DEFAULT_SORT: Final = "-spend"
#: Everything that the address of the page may say.
PARAMETERS: Final = (
    "start", "end", "compare", "by", "metric", "sort", "cols", "attribution", "window", "match", "money", "as_of",
    *FILTERS,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """The choices of one view of the page.

    Attributes:
        columns: of the table, besides those that always stand there.
        money: native, base, or the currency that money is shown in.
        base: code of the tenant's base currency.
        as_of: figures as they were published at that instant; None is now.
    """

    start: date
    end: date
    compare: str
    tab: Tab
    metric: str
    sort: str
    columns: tuple[str, ...]
    attribution: str
    window: int | None
    match: str
    money: str
    base: str
    as_of: datetime | None
    filters: dict[str, list[str]]

    @property
    def over_time(self) -> MetricRequest:
        """Asks for the key figures and the chart."""
        intervals = ("iroas_low", "iroas_high", "incremental_sales_low", "incremental_sales_high")
        metrics = (*KEY_FIGURES, *(intervals if self.attribution == "incremental" else ()))
        return self._request(metrics, (grain_of(self._request(("spend",), ()).period),))

    @property
    def by_scope(self) -> MetricRequest:
        """Asks for the table."""
        # What ROAS falls from and to is told whatever columns are shown.
        compared = () if self.attribution == "as_reported" else ("sales", "roas", "reported_sales", "reported_roas")
        return self._request((*metrics_behind(self.shown), *compared), self.tab.dimensions, sort=self._order())

    @property
    def shown(self) -> tuple[str, ...]:
        """Columns of figures, in the order in which they stand; what the table is sorted by is among them."""
        sorted_by = self.sort.removeprefix("-")
        chosen = {*ALWAYS, *self.columns, *([sorted_by] if sorted_by in COLUMNS else [])}
        return tuple(name for name in COLUMNS if name in chosen)

    def _request(self, metrics: tuple[str, ...], dimensions: tuple[str, ...], *, sort: str = "") -> MetricRequest:
        return read_request(
            metrics=metrics,
            dimensions=dimensions,
            start=self.start,
            end=self.end,
            filters=self.filters,
            compare=self.compare,
            attribution=self.attribution,
            window=self.window,
            match=self.match,
            money=self.base if self.money == BASE else self.money,
            sort=sort,
        )

    def _order(self) -> str:
        """`name` in the address is the member that a line is of."""
        sign = "-" if self.sort.startswith("-") else ""
        name = self.sort.removeprefix("-")
        return sign + (self.tab.leaf if name == "name" else name)


def read_state(given: QueryDict, *, latest: date, base: str = "USD") -> PageState:
    """The choices in an address; what it does not say is the usual view.

    Args:
        latest: the last day with data, on which the usual period ends.
        base: code of the tenant's base currency.

    Raises:
        InvalidInput: a choice that does not exist.
    """
    end = read_day(given, "end") if given.get("end") else latest
    # Counted in ordinals, for an absurd end must reach the check that names it.
    usual_start = date.fromordinal(max(1, end.toordinal() - DEFAULT_DAYS + 1))
    start = read_day(given, "start") if given.get("start") else usual_start
    return PageState(
        start=start,
        end=end,
        compare=given.get("compare") or "previous",
        tab=TABS[_among(given, "by", tuple(TABS), "network")],
        metric=_among(given, "metric", CHARTED, "sales"),
        sort=given.get("sort") or DEFAULT_SORT,
        columns=_columns(given),
        attribution=_among(given, "attribution", ATTRIBUTIONS, "as_reported"),
        window=read_window(given),
        match=given.get("match") or "",
        money=given.get("money") or NATIVE,
        base=base,
        as_of=read_instant(given),
        filters=with_plain_ids(read_filters(given)),
    )


def check_state(given: QueryDict) -> None:
    """Refuse an address that the page would refuse, whatever the data.

    Raises:
        InvalidInput: as for `read_state` and the requests that follow from it.
    """
    state = read_state(given, latest=date(2026, 1, 31))
    _ = state.over_time, state.by_scope


def _columns(given: QueryDict) -> tuple[str, ...]:
    names = [name for text in given.getlist("cols") for name in text.split(",") if name]
    for name in names:
        if name not in COLUMNS:
            raise InvalidInput(f"There is no column {name!r}.", where="cols", fix=f"Use some of: {', '.join(COLUMNS)}.")
    return tuple(names) if names else DEFAULT_COLUMNS


def _among(given: QueryDict, name: str, choices: tuple[str, ...], default: str) -> str:
    value = given.get(name) or default
    if value not in choices:
        raise InvalidInput(f"{name} cannot be {value!r}.", where=name, fix=f"Use one of: {', '.join(choices)}.")
    return value
