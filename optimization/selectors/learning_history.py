"""What a programme's rows say: its learner as it is now, its log, and what a week's beliefs were."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from optimization.core.cells import CellKey
from optimization.core.instance import parse_problem
from optimization.core.learning.allocation import Allocator
from optimization.core.learning.beliefs import Posterior
from optimization.core.learning.log import Event, LearningLog, LoggedWeek, decided_of, prior_of
from optimization.core.learning.policies import Learner, LearningSettings, ObservedWeek
from optimization.learning_models import LearningObservation, LearningProgramme, LearningWeek
from tenants.core.problems import InvalidInput


def allocator_of(programme: LearningProgramme) -> Allocator:
    """The weekly problem of a programme, ready to be allocated."""
    return Allocator.of(parse_problem(programme.problem))


def keys_of(ids: tuple[str, ...]) -> list[CellKey]:
    """The lines behind the ids of a problem's cells.

    Raises:
        InvalidInput: an id does not name retailer, placement and SKU, so no report could be told to be of it.
    """
    keys = []
    for name in ids:
        parts = name.split("|")
        if len(parts) != 3 or not all(parts):
            raise InvalidInput(
                f"The cell {name!r} does not say which line of the reports it is.",
                where="solve",
                fix='Learn from a scenario, or name the cells "retailer|placement|SKU".',
            )
        keys.append(CellKey(*parts))
    return keys


def events_of(programme: LearningProgramme) -> list[tuple[int, Event]]:
    """Proposals and observations with their place, in the order they came."""
    weeks = programme.weeks.values_list("sequence", "decision")
    found: list[tuple[int, Event]] = [(sequence, decided_of(record)) for sequence, record in weeks]
    found += [(one.sequence, observed_of(one)) for one in programme.observations.all()]
    return sorted(found, key=lambda one: one[0])


def observed_of(row: LearningObservation) -> ObservedWeek:
    """An observation as the learner takes it."""
    told = np.array(row.told, dtype=np.bool_)
    return ObservedWeek(
        row.number,
        np.array(row.features, dtype=np.float64),
        np.array(row.spend, dtype=np.float64),
        np.array(row.sales, dtype=np.float64),
        None if told.all() else told,
    )


def settings_of(programme: LearningProgramme) -> LearningSettings:
    """The settings of a programme."""
    return LearningSettings(**programme.settings)


def learner_of(programme: LearningProgramme, allocator: Allocator) -> Learner:
    """The learner as its programme's rows make it: a fold over what was observed, and the last allocation."""
    learner = Learner(allocator, prior_of(programme.prior), settings_of(programme), (programme.seed,))
    for _, event in events_of(programme):
        if isinstance(event, LoggedWeek):
            learner.last = event.decision.spend
        else:
            learner.observe(event)
    return learner


def log_of(programme: LearningProgramme) -> LearningLog:
    """Everything that was proposed and observed, in the format rmn-learning-log/2."""
    events = tuple(event for _, event in events_of(programme))
    return LearningLog(prior_of(programme.prior), settings_of(programme), (programme.seed,), events)


def beliefs_sha256(belief: Posterior) -> str:
    """Identifies what was believed: mean and covariance, to nine digits."""
    digest = hashlib.sha256()
    for part in (belief.mean, belief.covariance):
        digest.update(np.round(part, 9).astype("<f8").tobytes())
    return digest.hexdigest()


def uncertainty(programme: LearningProgramme) -> Iterator[dict[str, Any]]:
    """How well the return factors of the lines were known at each proposal: median half width of the 80 % interval."""
    for week in programme.weeks.order_by("number").values("monday", "summary"):
        yield {"monday": week["monday"], "spread": week["summary"]["median_spread"]}


def latest_observations(programme: LearningProgramme) -> dict[int, LearningObservation]:
    """What is known of each week, by its number."""
    return {one.number: one for one in programme.observations.order_by("number", "version")}


def newest_week(programme: LearningProgramme) -> LearningWeek | None:
    """The proposal that was made last; weeks later than its own can only be skipped ones."""
    return programme.weeks.order_by("-sequence").first()
