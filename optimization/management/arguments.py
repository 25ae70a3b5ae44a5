"""What the commands of this app ask for alike: the tenant, the brand, and in whose name."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from django.core.management.base import CommandError
from django_tenants.utils import tenant_context

from accounts.models import Brand, User
from accounts.services import recorded_as
from tenants.core.problems import NotFound, Problem
from tenants.selectors import find_tenant


def add_scope(parser: ArgumentParser) -> None:
    """--tenant and --brand."""
    parser.add_argument("--tenant", required=True, help="slug or id")
    parser.add_argument("--brand", help="slug; without one it is about the curves of all brands")


def add_person(parser: ArgumentParser) -> None:
    """--as."""
    parser.add_argument("--as", dest="email", required=True, help="e-mail address of the person who does it")


@contextmanager
def inside(options: dict[str, Any], command: str) -> Iterator[tuple[Brand | None, User | None]]:
    """Within the tenant: the brand, and the person where the command asks for one. Problems are told, never traced."""
    try:
        with tenant_context(find_tenant(key=options["tenant"])):
            person = person_named(options["email"]) if "email" in options else None
            with recorded_as(source=f"command {command}", user=person):
                yield brand_named(options.get("brand")), person
    except Problem as problem:
        further = [f"{one.get('where', '')}: {one['detail']} {one.get('fix', '')}" for one in problem.errors[1:]]
        raise CommandError("\n".join([str(problem), *further])) from problem


def brand_named(slug: str | None) -> Brand | None:
    """A brand by its slug; None for none.

    Raises:
        NotFound: there is no such brand; the known ones are told.
    """
    if slug is None:
        return None
    brand = Brand.objects.filter(slug=slug).first()
    if brand is None:
        known = ", ".join(Brand.objects.values_list("slug", flat=True)) or "none"
        raise NotFound(f"There is no brand {slug!r}.", where="--brand", fix=f"Use one of: {known}.")
    return brand


def person_named(email: str) -> User:
    """An active person by their address.

    Raises:
        NotFound: nobody here has it.
    """
    person = User.objects.filter(email__iexact=email, is_active=True).first()
    if person is None:
        raise NotFound(
            f"Nobody here has the address {email}.", where="--as", fix="Give that of a person of the tenant."
        )
    return person


def day(text: str) -> date:
    """A day as 2026-11-30, for argparse."""
    return date.fromisoformat(text)
