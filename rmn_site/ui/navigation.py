"""The navigation as data. A page joins it by one line here; until its address exists, the line shows nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True)
class Item:
    """A page.

    Attributes:
        url_name: what `reverse` resolves, without arguments.
        icon: a name of tools/icons.txt.
        key: the letter after `g` that goes there.
        permission: what one must be able to do, for some brand at least; empty for everybody who is signed in.
    """

    label: str
    url_name: str
    icon: str
    key: str = ""
    permission: str = ""


@dataclass(frozen=True)
class Group:
    """Pages under one heading; the first group has none."""

    label: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Link:
    """An item as one person sees it on one page."""

    label: str
    url: str
    icon: str
    key: str
    current: bool


NAVIGATION: tuple[Group, ...] = (
    Group(
        "",
        (
            Item("Home", "home", "home", key="h"),
            Item("Performance", "performance", "chart-line", key="p", permission="metrics.view"),
            Item("Budgets and pacing", "pacing", "coin", key="b", permission="scenarios.view"),
            Item("Scenarios", "scenario-list", "adjustments-alt", key="s", permission="scenarios.view"),
            Item("Response curves", "curve-list", "scale", key="r", permission="curves.view"),
            Item("Learning", "learning-list", "refresh", key="l", permission="scenarios.view"),
            Item("Experiments", "experiment-list", "flask", key="e", permission="experiments.view"),
        ),
    ),
    Group(
        "Data",
        (
            Item("Sources and uploads", "upload-list", "database", key="u", permission="uploads.view"),
            Item("Mappings", "mapping-list", "columns-3", key="m", permission="mappings.view"),
            Item("Quarantine", "quarantine", "alert-triangle", key="z", permission="uploads.view"),
            Item("Quality", "quality", "shield-check", key="q", permission="quality.view"),
            Item("Jobs", "job-list", "list-check", key="j", permission="jobs.view"),
            Item("Catalogue", "catalogue", "package", key="c", permission="catalogue.view"),
        ),
    ),
    Group(
        "Admin",
        (
            Item("Users and roles", "settings-users", "users", permission="users.view"),
            Item("Brands", "settings-brands", "tag", permission="brands.manage"),
            Item("Change history", "settings-history", "history", permission="history.view"),
            Item("API tokens", "settings-tokens", "key"),
            Item("API reference", "api-docs", "code"),
            Item("Records", "admin:index", "table", permission="admin.open"),
        ),
    ),
)


def address_of(url_name: str) -> str:
    """The address of a page, or nothing where this installation does not have it."""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""


def links_for(
    *, path: str, permissions: Set[str], groups: tuple[Group, ...] = NAVIGATION
) -> Iterator[tuple[str, list[Link]]]:
    """Groups with the pages that exist and that the person may open; the longest address that fits is current."""
    open_to = {
        item: url
        for group in groups
        for item in group.items
        if (not item.permission or item.permission in permissions) and (url := address_of(item.url_name))
    }
    here = _current(path, open_to.values())
    for group in groups:
        links = [
            Link(item.label, open_to[item], item.icon, item.key, current=open_to[item] == here)
            for item in group.items
            if item in open_to
        ]
        if links:
            yield group.label, links


def _current(path: str, urls: Iterable[str]) -> str:
    # "/" is the start of every path, so home is current only on its own address.
    fitting = [url for url in urls if path == url or (url != "/" and path.startswith(url))]
    return max(fitting, key=len, default="")
