"""What can be done with learning programmes: start, observe, propose, decide, pause, and check by the log.

Each step is a short transaction under the programme's lock and writes each thing once: a week has one proposal, however
often it is asked for, and a state of its figures one observation. A process that ends between two steps has done the
first and not the second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import models, transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import require
from jobs.models import Job
from jobs.services import submit_job
from optimization.core.instance import parse_problem
from optimization.core.instance_writer import problem_sha256, write_problem
from optimization.core.learning.log import UnusableLog
from optimization.core.learning.programme import monday_of, prior_for, week_features
from optimization.core.learning.replay import OffPolicyEstimate, estimate_revenue, replay
from optimization.core.stored_curves import StoredCurve
from optimization.learning_checks import SETTABLE as SETTABLE
from optimization.learning_checks import check_first_week, checked_problem, checked_settings, currency_of, weeks_of
from optimization.learning_figures import read_weeks
from optimization.learning_judgements import judged_once
from optimization.learning_models import LearningObservation, LearningProgramme, LearningWeek
from optimization.learning_proposals import made_proposal
from optimization.learning_schedules import LEARN as LEARN
from optimization.learning_schedules import MANAGE as MANAGE
from optimization.learning_schedules import refuse_unless_active, stop_schedules
from optimization.learning_schedules import schedule_of as schedule_of
from optimization.learning_schedules import schedule_programme as schedule_programme
from optimization.models import Solve
from optimization.selectors import curves_of_solve
from optimization.selectors.learning import programme_locked
from optimization.selectors.learning_history import allocator_of, keys_of, latest_observations, log_of
from optimization.services import lock_numbers
from tenants.core.problems import Conflict, InvalidInput

ACCEPT, EXPORT = "plans.approve", "metrics.export"
_WEEK = timedelta(days=7)
#: A week is proposed no further beyond the coming one: what is typed wrongly would hold up the weeks before it.
MOST_AHEAD = 4

Tell = Callable[[str, int, int | None], None]
Publish = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """A proposal, and whether this call made it or found it made."""

    week: LearningWeek
    created: bool


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """Whether the log decides again as it did.

    Attributes:
        equal: it does.
        weeks: decisions that were checked.
        detail: what differs, where something does.
    """

    equal: bool
    weeks: int
    detail: str = ""


def start_programme(
    *,
    actor: User | None,
    solve: Solve,
    name: str,
    first_week: date,
    problem_weeks: float | None = None,
    weekly_budget: Decimal | None = None,
    settings: Mapping[str, float] | None = None,
    least_cover_days: int = 3,
    seed: int | None = None,
) -> LearningProgramme:
    """Start to learn from a solved problem, week by week.

    Args:
        actor: None means an operator at the command line.
        problem_weeks: how many weeks the solved problem's money and curves are of; default what the solve says, which
            that of a scenario does.
        weekly_budget: default the problem's budget by its weeks.
        settings: some of `SETTABLE`; the rest is as recommended.
        seed: of the draws; default the programme's number.

    Raises:
        InvalidInput: the problem was not solved, its cells are no lines of reports, the budget cannot be spent within
            the bounds, or a setting is out of range; says which.
        NotAllowed, NotFound: as `accounts.services.require` for scenarios.manage.
    """
    if actor is not None:
        require(user=actor, permission=MANAGE, brand=solve.brand)
    chosen = checked_settings(settings or {})
    problem = checked_problem(solve, weeks_of(solve, problem_weeks), weekly_budget)
    check_first_week(first_week, coming=_next_monday())
    title = name.strip()
    if not title or len(title) > 120:
        raise InvalidInput("A programme needs a name of at most 120 characters.", where="name", fix="Give it one.")
    held = curves_of_solve(solve)
    curves = [StoredCurve.of(one) for one in held.records] if held else []
    with transaction.atomic():
        lock_numbers("learning programmes")
        number = (LearningProgramme.objects.aggregate(top=models.Max("number"))["top"] or 0) + 1
        return LearningProgramme.objects.create(
            number=number,
            brand=solve.brand,
            name=title,
            solve=solve,
            problem=write_problem(problem),
            problem_sha256=problem_sha256(problem),
            currency=currency_of(solve),
            weekly_budget=Decimal(repr(problem.total_budget)).quantize(Decimal("0.01")),
            first_week=first_week,
            least_cover_days=least_cover_days,
            settings=asdict(chosen),
            prior=asdict(prior_for(problem, curves)),
            seed=number if seed is None else seed,
            created_by=actor,
        )


def set_programme_status(*, actor: User | None, programme: LearningProgramme, status: str) -> LearningProgramme:
    """Pause, resume or end a programme; an ended one stays ended, and its schedule is switched off. The status it has
    already changes nothing.

    Raises:
        InvalidInput: there is no such status.
        Conflict: it has ended.
        NotAllowed, NotFound: as `accounts.services.require` for scenarios.manage.
    """
    if actor is not None:
        require(user=actor, permission=MANAGE, brand=programme.brand)
    if status not in LearningProgramme.Status.values:
        raise InvalidInput(
            f"There is no status {status!r}.",
            where="status",
            fix=f"Use one of: {', '.join(LearningProgramme.Status.values)}.",
        )
    with transaction.atomic():
        held = programme_locked(programme)
        if held.status == LearningProgramme.Status.ENDED and status != held.status:
            raise Conflict(f"{held.label} has ended.", fix="Start a new programme from the same solve.")
        held.status = LearningProgramme.Status(status)
        held.save(update_fields=["status", "updated_at"])
        if held.status == LearningProgramme.Status.ENDED:
            stop_schedules(held)
    return held


def request_run(
    *, actor: User, programme: LearningProgramme, week: date | None = None, idempotency_key: str | None = None
) -> Job:
    """Let new figures be taken in and the next week be proposed, as a job.

    Raises:
        Conflict: the programme is not active.
        NotAllowed, NotFound: as `accounts.services.require` for scenarios.manage.
    """
    require(user=actor, permission=MANAGE, brand=programme.brand)
    refuse_unless_active(programme)
    return submit_job(
        kind=LEARN,
        params={"programme": str(programme.pk), "week": str(week) if week else None},
        actor=actor,
        brand=programme.brand,
        title=f"Propose a week, {programme.label} {programme.name}",
        idempotency_key=idempotency_key,
        subject=f"programme:{programme.pk}",
    )


def observe_weeks(*, programme: LearningProgramme, publish: Publish = nullcontext) -> list[LearningObservation]:
    """Take in what is final of the programme's weeks; what is known already is left as it is.

    Args:
        publish: the transaction in which the observations are written.

    Returns:
        The new ones: weeks that became final, or were restated.
    """
    ids = parse_problem(programme.problem).ids
    keys = keys_of(ids)
    read = read_weeks(programme, keys)
    made = []
    with publish(), transaction.atomic():
        held = programme_locked(programme)
        known, decided = latest_observations(held), {one.number: one for one in held.weeks.all()}
        place = _last_place(held)
        for monday, figures in sorted(read.weeks.items()):
            number = (monday - held.first_week).days // 7
            before, week = known.get(number), decided.get(number)
            seen = (figures.spend.tolist(), figures.sales.tolist(), figures.told.tolist())
            if before is not None and (before.spend, before.sales, before.told) == seen:
                continue
            place += 1
            features = week.decision["features"] if week else week_features(monday, [None] * len(keys)).tolist()
            made.append(
                LearningObservation.objects.create(
                    programme=held, number=number, monday=monday, version=before.version + 1 if before else 1,
                    sequence=place, features=features, spend=seen[0], sales=seen[1], told=seen[2],
                    data_version=read.data_version,
                )
            )  # fmt: skip
            if week is not None:
                _note_observed(week)
    return made


def propose_week(
    *,
    programme: LearningProgramme,
    week: date | None = None,
    job_id: UUID | None = None,
    publish: Publish = nullcontext,
) -> Proposed:
    """Allocate a week by what is known now, or find it allocated: a week is proposed once.

    Args:
        week: its Monday; default the next one.
        publish: the transaction in which the proposal is written.

    Raises:
        Conflict: the programme is not active, or the week or a later one that is not skipped is proposed or observed.
        InvalidInput: `week` is no Monday, lies before the programme's first, or too far ahead.
        NothingAllowed: no allocation of that week meets the constraints.
    """
    monday = max(_next_monday(), programme.first_week) if week is None else week
    if monday.weekday() != 0 or monday < programme.first_week:
        raise InvalidInput(
            f"{monday} is no Monday from {programme.first_week} on.", where="week", fix="Give the Monday of a week."
        )
    with publish(), transaction.atomic():
        held = programme_locked(programme)
        found = held.weeks.filter(monday=monday).first()
        if found is not None:
            return Proposed(week=found, created=False)
        refuse_unless_active(held)
        number = (monday - held.first_week).days // 7
        observed = max(latest_observations(held), default=-1)
        furthest = max(_next_monday(), held.first_week, held.first_week + (observed + 1) * _WEEK) + MOST_AHEAD * _WEEK
        if monday > furthest:
            raise InvalidInput(
                f"The week of {monday} lies too far ahead.", where="week", fix=f"Give a Monday up to {furthest}."
            )
        later = held.weeks.exclude(status=LearningWeek.Status.SKIPPED).filter(number__gt=number)
        if later.exists() or observed >= number:
            raise Conflict(
                f"The week of {monday} is past: a later week is proposed, or its figures are known.",
                fix="Propose a week that is still to come, or skip the later one.",
            )
        made = made_proposal(held, monday=monday, number=number)
        made.sequence, made.job_id = _last_place(held) + 1, job_id
        made.save(force_insert=True)
    return Proposed(week=made, created=True)


def decide_week(*, actor: User, week: LearningWeek, accept: bool) -> LearningWeek:
    """Accept a proposal, or skip it. Nothing leaves by this: people set the budgets, and the reports tell.

    Raises:
        Conflict: it was decided otherwise, or the week's figures are known.
        NotAllowed, NotFound: as `accounts.services.require` for plans.approve.
    """
    require(user=actor, permission=ACCEPT, brand=week.programme.brand)
    wanted = LearningWeek.Status.ACCEPTED if accept else LearningWeek.Status.SKIPPED
    with transaction.atomic():
        programme_locked(week.programme)
        held = LearningWeek.objects.select_related("programme").get(pk=week.pk)
        if held.status == wanted:
            return held
        if held.status != LearningWeek.Status.PROPOSED:
            raise Conflict(
                f"The week of {held.monday} is {held.status}.", fix="Decide the next week; what was decided stays."
            )
        held.status, held.decided_by, held.decided_at = wanted, actor, timezone.now()
        held.save(update_fields=["status", "decided_by", "decided_at"])
    return held


def check_replay(*, programme: LearningProgramme) -> Replayed:
    """Decide every week again from what was known then, and compare; once for a state of the log."""
    log = log_of(programme)

    def judge() -> Replayed:
        try:
            again = replay(log, allocator_of(programme))
        except UnusableLog as problem:
            return Replayed(equal=False, weeks=len(log.decisions), detail=problem.detail)
        return Replayed(equal=True, weeks=len(again))

    return judged_once(programme, log, "replay", judge)


def estimate_programme(
    *, programme: LearningProgramme, temperature: float | None = None, even_probes: bool = False
) -> OffPolicyEstimate:
    """What the observed weeks would have sold under another temperature, or with probes chosen evenly.

    Every week is decided again for that, once for a state of the log and for each question.

    Raises:
        UnusableLog: the log cannot tell; says why.
    """
    log = log_of(programme)
    return judged_once(
        programme,
        log,
        f"estimate {temperature} {even_probes}",
        lambda: estimate_revenue(log, allocator_of(programme), temperature=temperature, even_probes=even_probes),
    )


@dataclass(frozen=True)
class LogFile:
    """The log as a file."""

    name: str
    content: bytes
    content_type: str = "application/x-ndjson"


def export_log(*, user: User | AnonymousUser, programme: LearningProgramme) -> LogFile:
    """The log as JSON lines, rmn-learning-log/2.

    Raises:
        NotAllowed: no role carries metrics.export for its brand.
    """
    require(user=user, permission=EXPORT, brand=programme.brand)
    lines = log_of(programme).to_lines()
    return LogFile(f"{programme.label}.jsonl", "".join(f"{line}\n" for line in lines).encode())


def _next_monday() -> date:
    return monday_of(timezone.now().date()) + _WEEK


def _last_place(programme: LearningProgramme) -> int:
    tops = (rows.aggregate(top=models.Max("sequence"))["top"] or 0 for rows in _both(programme))
    return max(tops)


def _both(programme: LearningProgramme) -> tuple[models.QuerySet[Any], ...]:
    return programme.weeks.all(), programme.observations.all()


def _note_observed(week: LearningWeek) -> None:
    """An accepted week is observed; one that nobody decided in time was not accepted."""
    after = {
        LearningWeek.Status.ACCEPTED: LearningWeek.Status.OBSERVED,
        LearningWeek.Status.PROPOSED: LearningWeek.Status.SKIPPED,
    }.get(LearningWeek.Status(week.status))
    if after is not None:
        week.status = after
        week.save(update_fields=["status"])
