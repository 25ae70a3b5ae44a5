"""Files as answers of HTTP."""

from __future__ import annotations

from typing import Protocol

from django.http import HttpResponse


class Downloadable(Protocol):
    """A file in memory with the name and type it is saved under."""

    @property
    def name(self) -> str: ...

    @property
    def content(self) -> bytes: ...

    @property
    def content_type(self) -> str: ...


def as_download(file: Downloadable) -> HttpResponse:
    """An answer that a browser saves and never shows, whatever it makes of the content."""
    return HttpResponse(
        file.content,
        content_type=file.content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{file.name}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )
