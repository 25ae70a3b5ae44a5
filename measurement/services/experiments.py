"""Asking: experiments before their plan is fixed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db import models, transaction

from accounts.models import Brand, User
from accounts.services import require
from harmonization.core.rmis import PLACEMENTS
from harmonization.models import Retailer
from measurement import selectors
from measurement.core.terms import FIELDS, ExperimentTerms, read_terms
from measurement.models import Experiment, PanelVersion
from measurement.selectors import MANAGE
from measurement.services.refreshes import remove_refreshes
from optimization.services import lock_numbers
from tenants.core.ids import new_id
from tenants.core.problems import Conflict, InvalidInput

#: A design answers these: what changes one of them takes it off.
_DESIGNED_FROM: Final = ("kind", "action", "outcome", "currency", "settings", "seed", "alpha", "cooldown_days")
#: These as well, where the design rests on them.
_WHERE_AND_WHEN: Final = ("start_date", "end_date", "retailer", "placement")


def create_experiment(
    *, actor: User, given: Mapping[str, Any], brand: Brand | None = None, experiment_id: UUID | None = None
) -> Experiment:
    """A draft.

    Args:
        experiment_id: an id that whoever asks finds it by again; default a new one.
        given: by the names of `measurement.core.terms.FIELDS`; `retailer` is a slug.

    Raises:
        InvalidInput: lists everything that is wrong, by field.
        NotAllowed, NotFound: as `accounts.services.require` for experiments.manage.
    """
    require(user=actor, permission=MANAGE, brand=brand)
    columns = _columns(read_terms(given))
    with transaction.atomic():
        lock_numbers("experiments")
        number = (Experiment.objects.aggregate(top=models.Max("number"))["top"] or 0) + 1
        return Experiment.objects.create(
            pk=experiment_id or new_id(), number=number, brand=brand, created_by=actor, **columns
        )


def update_experiment(*, actor: User, experiment: Experiment, given: Mapping[str, Any]) -> Experiment:
    """Change what is given of an experiment that is not registered. A design that answered another question is taken
    off, with its assignment.

    Raises:
        Conflict: its plan is registered, it was cancelled, or it is being designed.
        InvalidInput: as `create_experiment`; or the kind is changed of one that has data.
        NotAllowed, NotFound: as `accounts.services.require` for experiments.manage.
    """
    require(user=actor, permission=MANAGE, brand=experiment.brand)
    columns = _columns(read_terms(given_of(experiment) | dict(given)))
    with transaction.atomic():
        held = changeable(experiment)
        if columns["kind"] != held.kind and held.panels.exists():
            raise InvalidInput(
                f"{held.label} has the data of a {held.get_kind_display()}.", where="kind", fix="Make a new experiment."
            )
        changed = {name for name, value in columns.items() if getattr(held, name) != value}
        for name, value in columns.items():
            setattr(held, name, value)
        if changed & set(_DESIGNED_FROM) or (changed & set(_WHERE_AND_WHEN) and not _design_holds(held, changed)):
            take_off_design(held)
        held.save()
    return held


def duplicate_experiment(*, actor: User, experiment: Experiment, name: str = "") -> Experiment:
    """The same question as a new draft, without dates, data or design; raises as `create_experiment`."""
    given = given_of(experiment) | {
        "name": name or f"{experiment.name[:110]} (copy)", "start_date": None, "end_date": None,
    }  # fmt: skip
    return create_experiment(actor=actor, given=given, brand=experiment.brand)


def delete_experiment(*, actor: User, experiment: Experiment) -> None:
    """Remove a draft that has no data.

    Raises:
        Conflict: it is more than that, and is kept; or a job works on it.
        NotAllowed, NotFound: as `accounts.services.require` for experiments.manage.
    """
    require(user=actor, permission=MANAGE, brand=experiment.brand)
    with transaction.atomic():
        held = selectors.locked(experiment)
        if held.is_registered or held.panels.exists():
            raise Conflict(
                f"{held.label} has {'a registered plan' if held.is_registered else 'data'} and is kept.",
                fix="Cancel it instead.",
            )
        refuse_while_busy(held)
        remove_refreshes(held)
        held.delete()


def given_of(experiment: Experiment) -> dict[str, Any]:
    """The fields of an experiment as `read_terms` takes them."""
    given = {name: getattr(experiment, name) for name in FIELDS}
    return given | {"retailer": experiment.retailer.slug if experiment.retailer else ""}


def changeable(experiment: Experiment) -> Experiment:
    """The experiment under lock, if its question can still be changed.

    Raises:
        Conflict: it cannot; says why.
    """
    held = selectors.locked(experiment)
    if held.is_registered:
        raise Conflict(
            f"The plan of {held.label} is registered and stays as it is.", fix="Duplicate it, and change the copy."
        )
    if held.state == Experiment.State.CANCELLED:
        raise Conflict(f"{held.label} is cancelled.", fix="Duplicate it, and change the copy.")
    refuse_while_busy(held)
    return held


def refuse_while_busy(experiment: Experiment) -> None:
    """Raises `Conflict` while a job works on it."""
    job = selectors.job_of(experiment)
    if job is not None and not job.is_final:
        raise Conflict(f"A job works on {experiment.label}: {job.title}.", fix="Wait for it, or cancel it.")


def lasts_as_designed(experiment: Experiment) -> bool:
    """Whether its dates have the length that the chosen candidate's power is told for."""
    days = (experiment.design.get("chosen") or {}).get("days")
    if not days or experiment.start_date is None or experiment.end_date is None:
        return True
    return bool((experiment.end_date - experiment.start_date).days + 1 == days)


def _design_holds(experiment: Experiment, changed: set[str]) -> bool:
    """Whether a design still answers the question once dates or place were changed: the same length, after the history
    that it was made on. A switchback's coins fall on weekdays, and reports are of a retailer and a placement."""
    dates = changed & {"start_date", "end_date"}
    if dates and experiment.kind == Experiment.Kind.SWITCHBACK:
        return False
    panel = selectors.latest_panel(experiment)
    if changed & {"retailer", "placement"} and panel is not None and panel.origin == PanelVersion.Origin.EVENTS:
        return False
    last = str((experiment.design.get("history") or {}).get("last", ""))
    if dates and last and experiment.start_date is not None and last >= str(experiment.start_date):
        return False
    return lasts_as_designed(experiment)


def take_off_design(experiment: Experiment) -> None:
    """Forget candidates, assignment and checks of an experiment under lock; the caller saves it."""
    experiment.units.all().delete()
    experiment.design, experiment.checks = {}, []
    experiment.state = Experiment.State.DRAFT


def _columns(terms: ExperimentTerms) -> dict[str, Any]:
    if terms.placement and terms.placement not in PLACEMENTS:
        raise InvalidInput(
            f"There is no placement {terms.placement!r}.", where="placement", fix=f"Use one of {', '.join(PLACEMENTS)}."
        )
    retailer = None
    if terms.retailer:
        retailer = Retailer.objects.filter(slug=terms.retailer).first()
        if retailer is None:
            raise InvalidInput(
                f"There is no retailer {terms.retailer!r}.", where="retailer", fix="Use the slug of one that is listed."
            )
    return {name: getattr(terms, name) for name in FIELDS if name != "retailer"} | {"retailer": retailer}
