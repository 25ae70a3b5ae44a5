"""Files as answers of HTTP."""

from __future__ import annotations

from django.http import HttpResponse

from metrics.core.export import ExportFile


def as_download(file: ExportFile) -> HttpResponse:
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
