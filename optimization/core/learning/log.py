"""The log of a learner, `rmn-learning-log/2`: enough to decide every week again, and to judge what others would do.

JSON lines: a head with prior, settings and seed, then events in the order in which they came. A week is `decided`, with
its features, what was drawn with which chance, and what was to be spent; later it is `observed`, with what was spent
and sold. Sales that come late, or are restated, are events of their own, so the log says what was known when.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimization.core.learning.beliefs import ScalePrior
from optimization.core.learning.policies import Decision, LearningSettings, ObservedWeek
from optimization.core.responses import Floats
from tenants.core.problems import InvalidInput

FORMAT = "rmn-learning-log/2"
_ARRAYS = ("spend", "mean", "sd", "draw", "probe_chance", "price")


class UnusableLog(InvalidInput):
    """A log of learning that does not hold what is asked of it."""

    code = "unusable-learning-log"
    title = "The log cannot be used"


@dataclass(frozen=True, eq=False)
class LoggedWeek:
    """One decision: number of the week, features, shape (n, f), and cells that were out of stock, shape (n,)."""

    week: int
    features: Floats
    decision: Decision
    closed: NDArray[np.bool_] | None = None


Event = LoggedWeek | ObservedWeek


@dataclass(frozen=True, eq=False)
class LearningLog:
    """What a learner did.

    Attributes:
        prior, settings, seed: what it was made from.
        events: in the order they came.
    """

    prior: ScalePrior
    settings: LearningSettings
    seed: tuple[int, ...]
    events: tuple[Event, ...]

    @property
    def decisions(self) -> tuple[LoggedWeek, ...]:
        """In the order they were made."""
        return tuple(one for one in self.events if isinstance(one, LoggedWeek))

    @property
    def observed(self) -> dict[int, ObservedWeek]:
        """What is known of each week in the end."""
        return {one.week: one for one in self.events if isinstance(one, ObservedWeek)}

    def to_lines(self) -> list[str]:
        """A head, then one line per event. Floats are written in full, so reading gives the same log."""
        head = {
            "format": FORMAT,
            "prior": asdict(self.prior),
            "settings": asdict(self.settings),
            "seed": list(self.seed),
        }
        decided: dict[int, LoggedWeek] = {}
        lines = [json.dumps(head)]
        for event in self.events:
            if isinstance(event, LoggedWeek):
                decided[event.week] = event
                lines.append(json.dumps(decided_record(event)))
            else:
                lines.append(json.dumps(_observed_record(event, decided.get(event.week))))
        return lines

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> LearningLog:
        """Read what `to_lines` wrote.

        Raises:
            UnusableLog: a line is no JSON, the head is missing, or a key is.
        """
        rows = [_parsed(number, line) for number, line in enumerate(lines, start=1)]
        if not rows or not isinstance(rows[0], dict) or rows[0].get("format") != FORMAT:
            raise _no_line(1, f"the head with the format {FORMAT} is missing")
        try:
            prior, settings, seed = prior_of(rows[0]["prior"]), LearningSettings(**rows[0]["settings"]), rows[0]["seed"]
            head = (prior, settings, tuple(int(part) for part in seed))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _no_line(1, repr(error)) from error
        decided: dict[int, LoggedWeek] = {}
        events: list[Event] = []
        for number, row in enumerate(rows[1:], start=2):
            try:
                events.append(_event_of(row, decided))
            except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
                raise _no_line(number, repr(error)) from error
        return cls(*head, tuple(events))


def prior_of(record: dict[str, Any]) -> ScalePrior:
    """A prior from its JSON."""
    told: dict[str, Any] = {key: tuple(part) if isinstance(part, list) else part for key, part in record.items()}
    return ScalePrior(**told)


def log_density(decision: Decision, temperature: float) -> Floats:
    """Logarithm of the density with which a learner of this temperature draws each cell's logged theta, shape (n,).

    Raises:
        UnusableLog: the week has no draw, or the temperature is 0 and the draw has no density.
    """
    if decision.draw is None or decision.mean is None or decision.sd is None or temperature <= 0.0:
        raise UnusableLog(
            "The week was not drawn from a belief at a positive temperature.",
            where="draw",
            fix="Judge only logs of a learner whose temperature is above 0, and without weeks at random.",
        )
    sd = temperature * decision.sd
    middle = decision.mean + 0.5 * (1.0 - temperature**2) * decision.sd**2
    return np.asarray(-0.5 * ((decision.draw - middle) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2.0 * np.pi))


def decided_record(week: LoggedWeek) -> dict[str, Any]:
    """A decision as the JSON of its line."""
    decision = week.decision
    out: dict[str, Any] = {"event": "decided", "week": week.week, "features": week.features.tolist()}
    for name in _ARRAYS:
        value = getattr(decision, name)
        out[name] = None if value is None else value.tolist()
    out["temperature"] = decision.temperature
    out["probed"] = _marked(decision.probed)
    out["closed"] = _marked(week.closed)
    out["fallback"] = decision.fallback
    drawn = decision.draw is not None and decision.temperature > 0.0
    out["log_density"] = log_density(decision, decision.temperature).tolist() if drawn else None
    return out


def decided_of(row: dict[str, Any]) -> LoggedWeek:
    """A decision from the JSON of its line.

    Raises:
        KeyError, ValueError, TypeError, IndexError: it is none.
    """
    found = {name: None if row[name] is None else np.array(row[name], dtype=np.float64) for name in _ARRAYS}
    spend, features = found.pop("spend"), np.array(row["features"], dtype=np.float64)
    if spend is None or features.shape[:1] != spend.shape:
        raise ValueError("spend and features are of different lengths")
    decision = Decision(
        spend,
        temperature=float(row["temperature"]),
        probed=_mask(row["probed"], spend.size),
        fallback=str(row["fallback"]),
        **found,
    )
    return LoggedWeek(int(row["week"]), features, decision, _mask(row["closed"], spend.size))


def _observed_record(week: ObservedWeek, decided: LoggedWeek | None) -> dict[str, Any]:
    same = decided is not None and np.array_equal(decided.features, week.features)
    return {
        "event": "observed",
        "week": week.week,
        "features": None if same else week.features.tolist(),
        "spend": week.spend.tolist(),
        "sales": week.sales.tolist(),
        "told": _marked(week.told),
    }


def _event_of(row: dict[str, Any], decided: dict[int, LoggedWeek]) -> Event:
    if row["event"] == "decided":
        made = decided_of(row)
        decided[made.week] = made
        return made
    if row["event"] != "observed":
        raise ValueError(f"{row['event']!r} is no event")
    number = int(row["week"])
    features = decided[number].features if row["features"] is None else np.array(row["features"], dtype=np.float64)
    spend, sales = np.array(row["spend"], dtype=np.float64), np.array(row["sales"], dtype=np.float64)
    if sales.shape != spend.shape or features.shape[:1] != spend.shape:
        raise ValueError("spend, sales and features are of different lengths")
    return ObservedWeek(number, features, spend, sales, _mask(row["told"], spend.size))


def _marked(mask: NDArray[np.bool_] | None) -> list[int] | None:
    return None if mask is None else np.flatnonzero(mask).tolist()


def _mask(marked: list[int] | None, size: int) -> NDArray[np.bool_] | None:
    if marked is None:
        return None
    mask = np.zeros(size, dtype=np.bool_)
    mask[np.array(marked, dtype=np.intp)] = True
    return mask


def _parsed(number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise _no_line(number, repr(error)) from error


def _no_line(number: int, why: str) -> UnusableLog:
    return UnusableLog(
        f"Line {number} is not a line of a learning log: {why}.",
        where=f"line {number}",
        fix="Give the file as it was written, head first.",
    )
