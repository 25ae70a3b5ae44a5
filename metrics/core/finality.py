"""How final figures are: whether their accounts may still be restated, and whether days of them are missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from metrics.core.table import Provenance


@dataclass(frozen=True, slots=True)
class Finality:
    """Of the figures of each account.

    Attributes:
        until: account id -> day until which it may be restated.
        missing: account id -> number of days without rows.
        accounts: network -> ids of its accounts.
    """

    until: Mapping[str, date] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    accounts: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def accounts_of(self, lines: Iterable[Mapping[str, Any]]) -> set[str]:
        """The accounts that lines are of, as far as their dimensions tell: those of the network, or all."""
        found: set[str] = set()
        for line in lines:
            if line.get("account") is not None:
                found.add(line["account"])
            elif "network" in line:
                found |= self.accounts.get(line["network"], frozenset())
            else:
                found |= {account for members in self.accounts.values() for account in members}
        return found

    def of(self, accounts: Iterable[str]) -> tuple[date | None, int]:
        """(day until which they may be restated, days missing): the least final of the accounts decides."""
        known = list(accounts)
        ends = [self.until[account] for account in known if account in self.until]
        return max(ends, default=None), max((self.missing.get(account, 0) for account in known), default=0)


def finality_of(provenance: Provenance) -> Finality:
    """What the provenance of a table says about finality."""
    ids = {(item.network, item.account): item.account_id for item in provenance.reports}
    accounts: dict[str, frozenset[str]] = {}
    for item in provenance.reports:
        accounts[item.network] = accounts.get(item.network, frozenset()) | {item.account_id}
    return Finality(
        until={ids[item.network, item.account]: item.until for item in provenance.restating},
        missing={item.account_id: len(item.days) for item in provenance.gaps},
        accounts=accounts,
    )
