"""Designing: candidates with what each detects and costs, the choice of one, and who is treated."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from accounts.models import User
from accounts.services import require
from jobs.models import Job
from jobs.services import submit_job
from measurement import selectors
from measurement.core.assignment import Assigned, Assignment
from measurement.core.reading_assignments import read_assignment
from measurement.core.terms import LONGEST_DAYS
from measurement.models import Experiment, ExperimentUnit, days_after
from measurement.selectors import MANAGE
from measurement.services.candidates import assignment_for, candidates_of, fit_for
from measurement.services.designed import Designed
from measurement.services.experiments import changeable, take_off_design
from measurement.services.panels import panel_data
from metrics.core.export import neutralised
from tenants.core.problems import Conflict, InvalidInput, Problem, TooLarge

DESIGN: Final = "measurement.design"
STAGES: Final = ("Data", "Search", "Candidates")
#: 50,000 units with long names.
LARGEST_ASSIGNMENT: Final = 8 * 1024 * 1024

Tell = Callable[[str, int, int], None]
Publish = Callable[[], AbstractContextManager[None]]


def request_design(*, actor: User, experiment: Experiment, idempotency_key: str | None = None) -> Job:
    """Have candidates searched for, as a job.

    Raises:
        Conflict: its plan is registered, it has no data, or a job works on it.
        NotAllowed, NotFound: as `accounts.services.require` for experiments.manage.
    """
    require(user=actor, permission=MANAGE, brand=experiment.brand)
    with transaction.atomic():
        held = selectors.locked(experiment)
        job = selectors.job_of(held)
        if idempotency_key and job is not None and job.idempotency_key == idempotency_key:
            return job
        held = changeable(held)
        _require_data(held)
        job = submit_job(
            kind=DESIGN,
            params={"experiment": str(held.pk)},
            actor=actor,
            brand=held.brand,
            title=f"Design {held.label} {held.name}",
            idempotency_key=idempotency_key,
            subject=f"experiment:{held.pk}",
        )
        held.job_id, held.problem = job.pk, None
        held.save(update_fields=["job_id", "problem", "updated_at"])
    return job


def design_experiment(
    *,
    experiment: Experiment,
    job_id: UUID | None = None,
    tell: Tell = lambda stage, done, total: None,
    publish: Publish = nullcontext,
) -> Experiment:
    """Search for candidates here and now, and store them; what the job does. A former design is replaced.

    Only what lies before the start is looked at, where there is a start.

    Raises:
        Conflict: it was changed meanwhile, or is registered.
        Problem: the data or constraints allow no design; the experiment keeps it to be seen.
    """
    _require_data(experiment)
    tell(STAGES[0], 0, 1)
    try:
        designed = candidates_of(experiment, progress=lambda done, total: tell(STAGES[1], done, total))
    except Problem as problem:
        Experiment.objects.filter(pk=experiment.pk).update(problem=problem.as_dict())
        raise
    tell(STAGES[2], 0, 1)
    with publish(), transaction.atomic():
        held = selectors.locked(experiment)
        if held.is_registered or held.state == Experiment.State.CANCELLED:
            raise Conflict(f"{held.label} is {held.get_state_display()}.", fix="Duplicate it, and design the copy.")
        if held.job_id is not None and job_id is not None and held.job_id != job_id:
            raise Conflict(f"Another job works on {held.label}.", fix="Wait for it.")
        if held.updated_at != experiment.updated_at:
            raise Conflict(f"{held.label} was changed while it was being designed.", fix="Design it again.")
        take_off_design(held)
        held.design, held.problem = designed.as_dict(), None
        held.save()
    return held


def choose_candidate(*, actor: User, experiment: Experiment, choice: int) -> Experiment:
    """Take a candidate: its units are assigned, by the seeded draw where the design draws, and its length sets the end.

    Raises:
        InvalidInput: there is no such candidate.
        Conflict: there is no design, the plan is registered, or a job works on it.
        NotAllowed, NotFound: as `accounts.services.require` for experiments.manage.
    """
    require(user=actor, permission=MANAGE, brand=experiment.brand)
    with transaction.atomic():
        held = changeable(experiment)
        designed = Designed.of(held.design)
        if designed is None or not designed.candidates:
            raise Conflict(f"{held.label} has no candidates.", fix="Design it first.")
        if not 0 <= choice < len(designed.candidates):
            raise InvalidInput(
                f"There is no candidate {choice}.", where="choice", fix=f"Give 0 to {len(designed.candidates) - 1}."
            )
        chosen = designed.candidates[choice]
        assignment = assignment_for(held, designed, chosen)
        held.design = held.design | {"chosen": chosen, "assignment": _about(assignment)}
        # What is shown as the chosen one's is the chosen one's, not the best one's.
        held.design |= {"fit": fit_for(held, designed, assignment) or designed.fit}
        held.design |= {"power_curve": chosen.get("power_curve") or designed.power_curve}
        days = int(chosen.get("days") or 0)
        if days > LONGEST_DAYS:
            raise InvalidInput(
                f"This candidate takes {days:,} days; a test has {LONGEST_DAYS} at most.",
                where="choice",
                fix="Take one that looks for a larger effect, or design it with more users a day.",
            )
        if held.start_date is not None and days:
            held.end_date = days_after(held.start_date, days - 1)
        investment = chosen.get("investment")
        if investment is not None:
            held.planned_spend = Decimal(repr(abs(float(investment)))).quantize(Decimal("0.01"))
        _assign(held, assignment)
    return held


def assign_units(*, actor: User, experiment: Experiment, content: bytes) -> Experiment:
    """Take an assignment that was made elsewhere, as CSV of unit and group, in place of a candidate's.

    Raises:
        InvalidInput: the file tells no assignment, or a unit that the data do not have. TooLarge: over
            `LARGEST_ASSIGNMENT`.
        Conflict: it has no data or is registered; tests over time and of users are not assigned by units.
        NotAllowed, NotFound: as `accounts.services.require` for experiments.manage.
    """
    require(user=actor, permission=MANAGE, brand=experiment.brand)
    if len(content) > LARGEST_ASSIGNMENT:
        raise TooLarge(
            f"The file is larger than {LARGEST_ASSIGNMENT // 1024**2} MiB.",
            where="file",
            fix="Send one row per unit: its name and its group.",
        )
    groups = read_assignment(content)
    with transaction.atomic():
        held = changeable(experiment)
        if held.kind not in selectors.OVER_UNITS:
            raise Conflict(f"A {held.get_kind_display()} is not assigned by units.", fix="Design it instead.")
        panel = _require_data(held)
        place = panel_data(panel).place if panel else {}
        groups = _as_sent(groups, place)
        absent = [unit for unit, group in groups.items() if group != "excluded" and unit.casefold() not in place]
        if absent:
            raise InvalidInput(
                f"The data have no unit {absent[0]!r}" + (f" and {len(absent) - 1} more." if len(absent) > 1 else "."),
                where="assignment",
                fix="Name units as the data do.",
                errors=[{"detail": f"{unit!r} is absent.", "where": "assignment"} for unit in absent[:100]],
            )
        rows = [
            Assigned(unit=unit, group=group if group in ("treated", "control") else "excluded")  # type: ignore[arg-type]
            for unit, group in groups.items()
        ]
        assignment = Assignment(rows=tuple(rows), notes=("It was made elsewhere and sent as a file.",))
        held.design = held.design | {"chosen": None, "assignment": _about(assignment)}
        _assign(held, assignment)
    return held


def assignment_rows(experiment: Experiment) -> list[dict[str, str]]:
    """Who is in which group, for whoever sets up the campaigns, in the order of the units' names."""
    return [
        {"unit": one.unit, "group": one.group, "cell": one.cell, "pair": one.pair, "stratum": one.stratum,
         "why": one.why}
        for one in experiment.units.order_by("unit")
    ]  # fmt: skip


def assignment_file(experiment: Experiment) -> str:
    """The rows of `assignment_rows` as CSV; a name that a spreadsheet would take for a formula has an apostrophe
    before it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    columns = ("unit", "group", "cell", "pair", "stratum", "why")
    writer.writerow(columns)
    writer.writerows([neutralised(row[name]) for name in columns] for row in assignment_rows(experiment))
    return out.getvalue()


def _as_sent(groups: Mapping[str, str], place: Mapping[str, int]) -> dict[str, str]:
    """The units of a file in the names of the data: what `assignment_file` wrote comes back as it was."""
    return {
        unit[1:] if unit[:1] == "'" and unit.casefold() not in place and neutralised(unit[1:]) == unit else unit: group
        for unit, group in groups.items()
    }


def _require_data(experiment: Experiment) -> Any:
    if experiment.kind not in selectors.OVER_UNITS:
        return None
    panel = selectors.latest_panel(experiment)
    if panel is None:
        raise Conflict(f"{experiment.label} has no data.", fix="Send its history first, or build it from the reports.")
    return panel


def _assign(experiment: Experiment, assignment: Assignment) -> None:
    experiment.units.all().delete()
    ExperimentUnit.objects.bulk_create(
        ExperimentUnit(
            experiment=experiment, unit=row.unit, group=row.group, cell=row.cell, pair=row.pair, stratum=row.stratum,
            why=row.why[:200],
        )
        for row in assignment.rows
    )  # fmt: skip
    experiment.state = Experiment.State.DESIGNED
    experiment.save()


def _about(assignment: Assignment) -> Mapping[str, Any]:
    return {
        "seed": assignment.seed,
        # A draw made once the test has begun may be one of many: it is no experiment.
        "drawn_at": str(selectors.today()),
        "notes": list(assignment.notes),
        "treated": len(assignment.of("treated")),
        "control": len(assignment.of("control")),
        "excluded": len(assignment.of("excluded")),
    }
