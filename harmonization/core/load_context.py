"""What the caller knows about a load and the file does not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from tenants.core.problems import InvalidInput


@dataclass(frozen=True, slots=True)
class LoadContext:
    """Identity of a load and of the account it belongs to.

    A column of the file wins over the context for account, brand and currency; the context fills what is absent.
    `parameters` answers the contract's parameters (attribution windows chosen when the report was requested).
    `as_of` is the day of the load: rows dated later are in the future. None switches that check off.
    With `base_currency`, spend is kept in it too, by `fx_rates`: day, ISO 4217 code, units of the base currency for one
    unit of it.
    """

    load_id: str = ""
    account_id: str | None = None
    account_name: str | None = None
    brand_id: str | None = None
    brand_name: str | None = None
    retailer_id: str | None = None
    currency: str | None = None
    as_of: date | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    base_currency: str | None = None
    fx_rates: tuple[tuple[date, str, Decimal], ...] = ()


def parse_answers(text: str) -> dict[str, str]:
    """Answers to a contract's parameters, written as `NAME=VALUE, NAME=VALUE`.

    Raises:
        InvalidInput: a part is no `NAME=VALUE`, or two answer the same parameter.
    """
    answers: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise InvalidInput(f"{part!r} is no NAME=VALUE.", where="parameters", fix="Write e.g. click_window=14D.")
        if name in answers:
            raise InvalidInput(f"{name} is answered twice.", where="parameters", fix="Keep one of the answers.")
        answers[name] = value
    return answers
