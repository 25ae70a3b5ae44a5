"""Long work of this app."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from harmonization import services
from harmonization.core.matching.minilm import packaged_embedder
from harmonization.services.checks import CHECK_KIND
from harmonization.services.drafts import PROPOSE_KIND, note_failed_proposal
from harmonization.services.housekeeping import VACUUM_KIND, note_abandoned
from harmonization.services.imports import IMPORT_KIND
from harmonization.services.loads import KIND, WHOLE_KIND
from jobs.core.registry import Handler, JobContext, register_handler


def run_load(context: JobContext) -> Mapping[str, Any]:
    """Harmonise an upload."""
    result = services.harmonize_upload(context=context)
    # The load is published and the job has succeeded: what follows can fail neither.
    services.check_after_load(result)
    return result


def run_check(context: JobContext) -> Mapping[str, Any]:
    """Check the whole history of accounts."""
    return services.run_check(context=context)


def run_restatement(context: JobContext) -> Mapping[str, Any]:
    """Take out of earlier loads what a whole export does not tell."""
    return services.restate_days(context=context)


def run_vacuum(context: JobContext) -> Mapping[str, Any]:
    """Delete event files that nothing in reach needs."""
    return services.vacuum_events(context=context)


def run_propose(context: JobContext) -> Mapping[str, Any]:
    """Propose a mapping for an upload."""
    return services.run_proposal(context=context, embedder=packaged_embedder(settings.DATA_HOME / "models"))


def run_import(context: JobContext) -> Mapping[str, Any]:
    """Take in what has appeared at a watched place."""
    return services.import_files(context=context)


def register() -> None:
    """Called once the apps are loaded."""
    register_handler(
        Handler(
            kind=KIND,
            queue="harmonize",
            run=run_load,
            title="Harmonise a report",
            permission="uploads.create",
            timeout_seconds=3600,
            abandoned=note_abandoned,
        )
    )
    register_handler(
        Handler(
            kind=WHOLE_KIND,
            queue="harmonize",
            run=run_restatement,
            title="Restate the days of an export",
            permission="uploads.create",
        )
    )
    register_handler(
        Handler(
            kind=VACUUM_KIND,
            queue="harmonize",
            run=run_vacuum,
            title="Delete old versions of events",
            permission="schedules.manage",
        )
    )
    register_handler(
        Handler(
            kind=CHECK_KIND,
            queue="harmonize",
            run=run_check,
            title="Check the data",
            permission="quality.manage",
        )
    )
    register_handler(
        Handler(
            kind=PROPOSE_KIND,
            queue="harmonize",
            run=run_propose,
            title="Propose a mapping",
            permission="mappings.manage",
            timeout_seconds=600,
            abandoned=note_failed_proposal,
        )
    )
    register_handler(
        Handler(
            kind=IMPORT_KIND,
            queue="default",
            run=run_import,
            title="Import files",
            permission="uploads.create",
        )
    )
