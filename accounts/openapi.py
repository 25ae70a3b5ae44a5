"""How the OpenAPI document names the two ways to say who one is."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


def describe_authentication() -> None:
    """Declare the schemes: drf-spectacular finds an extension once its class exists."""

    class Token(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
        target_class = "accounts.rest.authentication.TenantTokenAuthentication"
        name = "token"

        def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
            return {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "`Token rmn_…`, made under Settings, API tokens, in the tenant that it is used in.",
            }

    class Session(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
        target_class = "accounts.rest.authentication.TenantSessionAuthentication"
        name = "session"

        def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
            return {
                "type": "apiKey",
                "in": "cookie",
                "name": "sessionid",
                "description": "The login of the pages; writing requests carry the CSRF token as well.",
            }
