"""Long work of this app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts.models import Brand, User
from jobs.core.registry import Handler, JobContext, register_handler
from optimization import learning_handlers, services


def run_fit(context: JobContext) -> Mapping[str, Any]:
    """Fit the curves of a brand, or of all."""
    brand = Brand.objects.get(pk=context.brand_id) if context.brand_id else None
    actor = User.objects.filter(pk=context.actor_id).first() if context.actor_id else None

    def tell(stage: str, done: int, total: int | None) -> None:
        context.raise_if_cancelled()
        context.progress(stage, done, total, "cells")

    fitted = services.fit_curves(
        brand=brand,
        weeks=int(context.params.get("weeks", services.USUAL_WEEKS)),
        actor=actor,
        job_id=context.job_id,
        tell=tell,
        publish=context.publish,
    )
    version = fitted.version
    if not fitted.created:
        context.log("info", f"The data and settings are those of version {version.number}; nothing new was made.")
    for reason, rows in version.diagnostics.get("rows_left_out", {}).items():
        context.log("info", f"{rows} weekly rows left out: {reason}.")
    for words in version.diagnostics.get("warnings", ()):
        context.log("warning", words)
    return {
        "curve_version": str(version.pk),
        "number": version.number,
        "made_now": fitted.created,
        "cells": version.diagnostics["cells"],
        "window": f"{version.data_start} to {version.data_end}",
    }


def register() -> None:
    """Called once the apps are loaded."""
    learning_handlers.register()
    register_handler(
        Handler(
            kind=services.FIT,
            queue="solve",
            run=run_fit,
            title="Fit response curves",
            permission="curves.fit",
            timeout_seconds=1800,
        )
    )
