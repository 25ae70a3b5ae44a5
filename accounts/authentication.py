"""Who sends an API request. Users and tokens are rows of the tenant's schema, so another tenant's do not exist here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from knox.auth import TokenAuthentication
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request

from accounts.models import ApiToken

# Writing the time of every use would make each read request a write.
_USE_RESOLUTION = timedelta(minutes=1)


class TenantTokenAuthentication(TokenAuthentication):
    """`Authorization: Token rmn_…`."""

    def authenticate(self, request: Request) -> Any:
        found = super().authenticate(request)
        if found is not None:
            now = timezone.now()
            token: ApiToken = found[1]
            if token.last_used_at is None or now - token.last_used_at > _USE_RESOLUTION:
                ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        return found


class TenantSessionAuthentication(SessionAuthentication):
    """The login of the pages, with its CSRF check."""

    def authenticate_header(self, request: Request) -> str:
        return "Token"
