"""The content security policy of an answer: the strict one everywhere, a wider one for the admin alone."""

from __future__ import annotations

from typing import Any

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

ADMIN_PREFIX = "/admin/"


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """`CONTENT_SECURITY_POLICY` for all pages; below /admin/ with what `ADMIN_CONTENT_SECURITY_POLICY` replaces.

    The admin's theme evaluates expressions written in attributes (Alpine). docs/threat-model.md says why that is
    accepted there and nowhere else.
    """

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts: PolicyParts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(ADMIN_PREFIX) and not report_only:
            wider: dict[str, Any] = settings.ADMIN_CONTENT_SECURITY_POLICY
            parts.replace = {**wider, **(parts.replace or {})}
        return parts
