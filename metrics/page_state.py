"""What the Performance page shows is all in its address: read here, and written back for every link of the page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.http import QueryDict

from metrics.core.performance import CHARTED, FIGURES, TABS, Tab
from metrics.core.request import MetricRequest, read_request
from metrics.core.time_series import grain_of
from metrics.parameters import read_day, read_filters
from metrics.services import with_plain_ids
from tenants.core.problems import InvalidInput

#: Days back from the last day with data.
PRESETS: Final = ((28, "4 weeks"), (84, "12 weeks"), (182, "26 weeks"), (364, "52 weeks"))
DEFAULT_DAYS: Final = 84
DEFAULT_SORT: Final = "-spend"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """The choices of one view of the page."""

    start: date
    end: date
    compare: str
    tab: Tab
    metric: str
    sort: str
    filters: dict[str, list[str]]

    @property
    def over_time(self) -> MetricRequest:
        """Asks for the key figures and the chart."""
        return self._request((grain_of(self._request(()).period),))

    @property
    def by_scope(self) -> MetricRequest:
        """Asks for the table."""
        return self._request(self.tab.dimensions, sort=self._order())

    def _request(self, dimensions: tuple[str, ...], *, sort: str = "") -> MetricRequest:
        return read_request(
            metrics=FIGURES,
            dimensions=dimensions,
            start=self.start,
            end=self.end,
            filters=self.filters,
            compare=self.compare,
            sort=sort,
        )

    def _order(self) -> str:
        """`name` in the address is the member that a line is of."""
        sign = "-" if self.sort.startswith("-") else ""
        name = self.sort.removeprefix("-")
        return sign + (self.tab.leaf if name == "name" else name)


def read_state(given: QueryDict, *, latest: date) -> PageState:
    """The choices in an address; what it does not say is the usual view.

    Args:
        latest: the last day with data, on which the usual period ends.

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
        filters=with_plain_ids(read_filters(given)),
    )


def _among(given: QueryDict, name: str, choices: tuple[str, ...], default: str) -> str:
    value = given.get(name) or default
    if value not in choices:
        raise InvalidInput(f"{name} cannot be {value!r}.", where=name, fix=f"Use one of: {', '.join(choices)}.")
    return value
