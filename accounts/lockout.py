"""The pause after repeated failures ends when the person proves who they are by resetting the password."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_reset
from axes.utils import reset

from accounts.models import User


def connect() -> None:
    """Listen to allauth; called once, when the apps are ready."""
    password_reset.connect(_forgive, dispatch_uid="accounts.lockout")


def _forgive(*, user: User, **_: Any) -> None:
    reset(username=user.email)
