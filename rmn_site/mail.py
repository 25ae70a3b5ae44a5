"""Outgoing mail from a URL."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


def mail_settings(url: str | None) -> dict[str, Any]:
    """Django's `EMAIL_*` settings for `smtp://`, `smtp+tls://` (STARTTLS) or `smtps://user:password@host:port`.

    Without a URL mails are written to the log's output instead of being sent.

    Raises:
        ValueError: the scheme is another one, or there is no host.
    """
    if not url:
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"RMN_EMAIL_URL must start with {', '.join(f'{name}://' for name in _PORTS)} and name a host")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or _PORTS[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": 10,
    }
