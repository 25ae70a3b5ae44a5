"""Money that plans hold back for tests, as told by the app that plans, which stands above this one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib import import_module
from typing import Final, Protocol, cast
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from accounts.models import Brand, User

_ANNOUNCED: Final[list[str]] = []


@dataclass(frozen=True, kw_only=True)
class HeldReserve:
    """What one plan holds back.

    Attributes:
        label, name: of the plan. amount: money over its days, in `currency`. start, end: its days, both inclusive.
        brand_id: None where it plans the money of all brands; `brand_name` says whose in words.
    """

    label: str
    name: str
    amount: Decimal
    currency: str
    start: date
    end: date
    brand_id: UUID | None
    brand_name: str


class Reserves(Protocol):
    """What the module `reserves` of an app that plans offers."""

    def listed(self, *, as_user: User | AnonymousUser, brand: Brand | None) -> list[HeldReserve]:
        """Plans of exactly this brand that hold money back, of those a person may see; the newest first."""

    def named(self, *, as_user: User | AnonymousUser, reference: str) -> HeldReserve:
        """The plan of an id or a label. Raises NotFound where there is none to see."""


def announce_reserves(app: str) -> None:
    """Say that an app has a module `reserves`; it is loaded when somebody asks."""
    if app not in _ANNOUNCED:
        _ANNOUNCED.append(app)


def told_reserves() -> list[Reserves]:
    """Those who tell of reserves; none where nothing plans."""
    return [cast(Reserves, import_module(f"{app}.reserves")) for app in _ANNOUNCED]
