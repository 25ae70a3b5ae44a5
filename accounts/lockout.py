"""The pause after repeated failures: whom it is for, and that resetting the password ends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account.signals import password_reset
from axes.utils import reset
from django.http import HttpRequest

from accounts.models import User


def connect() -> None:
    """Listen to allauth; called once, when the apps are ready."""
    password_reset.connect(_forgive, dispatch_uid="accounts.lockout")


def username_of(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """The address that an attempt is for (`AXES_USERNAME_CALLABLE`): allauth's credentials call it `email`, and each
    way of writing it counts as the same."""
    given = credentials or {}
    text = given.get("email") or given.get("username") or request.POST.get("login", "")
    return str(text).strip().lower()


def _forgive(*, user: User, **_: Any) -> None:
    reset(username=user.email)
