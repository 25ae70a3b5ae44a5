"""Retailers and advertising accounts."""

from __future__ import annotations

import re
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import services as people
from accounts.models import Brand, User
from harmonization.models import Account, Retailer
from tenants.core.problems import Conflict, InvalidInput


def create_retailer(*, actor: User, slug: str, name: str, network: str, timezone: str = "UTC") -> Retailer:
    """Add a retailer and the network that reports for it.

    Args:
        timezone: IANA name of the zone of the dates in its reports.

    Raises:
        InvalidInput: a field is malformed, or there is no such zone.
        Conflict: the slug or name is taken.
    """
    people.require(user=actor, permission="catalogue.manage")
    if timezone not in available_timezones():
        raise InvalidInput(
            f"There is no time zone {timezone!r}.", where="timezone", fix="Give an IANA name, such as Europe/Paris."
        )
    retailer = Retailer(slug=slug, name=name, network=network, timezone=timezone)
    try:
        retailer.clean_fields()
        with transaction.atomic():
            retailer.save(force_insert=True)
    except ValidationError as error:
        raise InvalidInput("; ".join(error.messages), where=", ".join(error.message_dict)) from error
    except IntegrityError as error:
        raise Conflict(f"There is a retailer {slug!r} or {name!r} already.", where="slug") from error
    return retailer


def create_account(
    *, actor: User, brand: Brand | None, retailer: Retailer, external_id: str, name: str, currency: str = "USD"
) -> Account:
    """Add an advertising account at a retailer, of one brand or, with none given, of several.

    Raises:
        InvalidInput: a field is malformed.
        Conflict: the retailer's account of that id is here already.
    """
    people.require(user=actor, permission="uploads.create", brand=brand)
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise InvalidInput(
            f"{currency!r} is no currency code.", where="currency", fix="Give an ISO 4217 code, such as USD."
        )
    account = Account(brand=brand, retailer=retailer, external_id=external_id, name=name, currency=currency)
    try:
        account.clean_fields()
        with transaction.atomic():
            account.save(force_insert=True)
    except ValidationError as error:
        raise InvalidInput("; ".join(error.messages), where=", ".join(error.message_dict)) from error
    except IntegrityError as error:
        raise Conflict(
            f"An account {external_id!r} at {retailer} exists already.",
            where="external_id",
            fix="Use that account, or give the id that the network shows for this one.",
        ) from error
    return account
