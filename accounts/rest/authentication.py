"""Who sends an API request. Users and tokens are rows of the tenant's schema, so another tenant's do not exist here."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.utils import timezone
from knox.auth import TokenAuthentication
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiToken

_TOKEN = re.compile(rb"rmn_[0-9a-f]{64}")
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

    def authenticate_credentials(self, token: bytes) -> Any:
        # Refused before it is decoded or looked up: the header may hold any bytes.
        if not _TOKEN.fullmatch(token):
            raise AuthenticationFailed("This is not a token of this tenant.")
        try:
            return super().authenticate_credentials(token)
        except AuthenticationFailed as error:
            # One answer, whether the token never existed, is another tenant's, has expired or its person has left.
            raise AuthenticationFailed("This is not a token of this tenant.") from error

    def _cleanup_token(self, auth_token: ApiToken) -> bool:
        # The base class deletes what has expired; here it stays in its owner's list, marked as expired.
        return auth_token.expiry is not None and auth_token.expiry < timezone.now()


class TenantSessionAuthentication(SessionAuthentication):
    """The login of the pages, with its CSRF check."""

    def authenticate_header(self, request: Request) -> str:
        return "Token"
