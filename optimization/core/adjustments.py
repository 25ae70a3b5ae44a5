"""What people know better than a fit: overrides of a curve, and priors on it, laid over the curves of a version.

- An **override** puts a curve in the place of the fitted one of a cell: family, a, k (and the exponent of a family that
  has one). How wide its interval is, is left as fitted: nobody measured the person.
- A **prior** says what return the usual spend of a scope's cells has, or at which spend they saturate, and how sure
  that is. With a fit it is combined as two readings of one number are: both logarithms normal, weighted by precision.
  A week of reports has a noise of 30 %, so a prior with a spread of 0.3 counts as much as one week, 0.1 as nine.

Of several overrides or priors of a cell the one with the most specific scope counts, then the one made last. A cell can
have a prior and an override; the override stands.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal

import numpy as np

from optimization.core.problem import Curve
from optimization.core.responses import EXPONENT_NAME, Family, Responses
from tenants.core.problems import InvalidInput

Kind = Literal["override", "prior"]
KINDS: Final[dict[str, str]] = {"override": "override of the curve", "prior": "prior on return or scale"}
Record = dict[str, Any]
#: Relative noise of one week's sales, as in the fit.
WEEK_NOISE: Final = 0.3
#: A prior is at least this sure and at most this unsure, relative.
SUREST, UNSUREST = 0.01, 2.0
LARGEST: Final = 1e15


@dataclass(frozen=True, kw_only=True)
class Adjustment:
    """One override or prior.

    Attributes:
        retailer, placement, sku: the scope; an empty one is any. An override names all three.
        family, a, k, exponent: of an override, money a week.
        roas: of a prior: return of the usual weekly spend of a cell; None leaves it as it is.
        scale: of a prior: k, money a week; None leaves it as it is.
        spread: of a prior: one standard deviation, relative; 0.2 is "within 20 %".
        reason, by, at, expires_on: in words, as people see them.
    """

    id: str = ""
    kind: Kind = "override"
    retailer: str = ""
    placement: str = ""
    sku: str = ""
    family: str = ""
    a: float | None = None
    k: float | None = None
    exponent: float | None = None
    roas: float | None = None
    scale: float | None = None
    spread: float | None = None
    reason: str = ""
    by: str = ""
    at: str = ""
    expires_on: str = ""

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Adjustment:
        """From `as_dict`."""
        return cls(**{field.name: stored[field.name] for field in fields(cls) if field.name in stored})

    def as_dict(self) -> dict[str, Any]:
        """What a solve keeps of it: all, so that it can be applied again."""
        return asdict(self)

    def holds_for(self, record: Mapping[str, Any]) -> bool:
        """Whether a curve lies in its scope."""
        return all(
            not wanted or record[name] == wanted
            for name, wanted in (("retailer", self.retailer), ("placement", self.placement), ("sku", self.sku))
        )

    @property
    def rank(self) -> tuple[int, str, str]:
        """The larger counts: SKU, then placement, then retailer; then the later."""
        named = 4 * bool(self.sku) + 2 * bool(self.placement) + bool(self.retailer)
        return named, self.at, self.id

    @property
    def scope(self) -> str:
        """What it holds for, in words."""
        return ", ".join(filter(None, (self.retailer, self.placement.replace("_", " "), self.sku))) or "every cell"

    @property
    def weeks_worth(self) -> float | None:
        """How many weeks of reports a prior counts for."""
        return None if self.spread is None else (WEEK_NOISE / self.spread) ** 2


@dataclass(frozen=True)
class Adjusted:
    """Curves with what people know laid over them.

    Attributes:
        records: as in a curve version; `overridden` and `prior` say by whom a curve was changed, and why.
        used: what changed a curve, in a stable order.
    """

    records: list[Record]
    used: tuple[Adjustment, ...]

    @property
    def sha256(self) -> str:
        """Of what was used; empty where nothing was."""
        return adjustments_sha256(self.used)


def adjustments_sha256(used: Sequence[Adjustment]) -> str:
    """Of overrides and priors with all they say; empty for none."""
    if not used:
        return ""
    return hashlib.sha256(json.dumps([one.as_dict() for one in used], sort_keys=True).encode()).hexdigest()


def adjusted(
    records: Sequence[Record], adjustments: Sequence[Adjustment], *, fitted_with: Collection[str] = ()
) -> Adjusted:
    """Curves under overrides and priors.

    Args:
        records: the curves of a version; left as they are.
        fitted_with: ids of priors that these curves were fitted with already.
    """
    priors = [one for one in adjustments if one.kind == "prior" and one.id not in fitted_with]
    overrides = [one for one in adjustments if one.kind == "override"]
    used: dict[str, Adjustment] = {}
    out = []
    for record in records:
        prior, override = _counting(priors, record), _counting(overrides, record)
        changed = record
        if prior is not None:
            changed = _with_prior(changed, prior)
        if override is not None:
            changed = _overridden(changed, override)
        for one in (prior, override):
            if one is not None:
                used[one.id] = one
        out.append(changed)
    return Adjusted(out, tuple(sorted(used.values(), key=lambda one: (one.at, one.id))))


def check_adjustment(given: Adjustment) -> None:
    """Whether an override or a prior can be applied.

    Raises:
        InvalidInput: names every field that breaks a rule.
    """
    faults = list(_override_faults(given) if given.kind == "override" else _prior_faults(given))
    if not given.reason.strip():
        faults.append(("reason", "Say why: whoever plans with it will ask."))
    if faults:
        where, detail = faults[0]
        raise InvalidInput(
            detail,
            where=where,
            fix="Correct the fields and save again.",
            errors=[{"where": name, "detail": words} for name, words in faults],
        )


def _override_faults(given: Adjustment) -> list[tuple[str, str]]:
    faults = [
        (name, "An override holds for one cell: name its retailer, placement and SKU.")
        for name in ("retailer", "placement", "sku")
        if not getattr(given, name)
    ]
    family = next((one for one in Family if one.label == given.family), None)
    if family is None:
        faults.append(("family", f"{given.family!r} is none of: {', '.join(one.label for one in Family)}."))
    for name, value, least in (("a", given.a, "zero or more"), ("k", given.k, "more than zero")):
        if value is None or not math.isfinite(value) or value < 0 or value > LARGEST or (name == "k" and value == 0):
            faults.append((name, f"{_told(value)} is not {least}, money a week, at most {LARGEST:g}."))
    if family in EXPONENT_NAME:
        most = 1.0 if family is Family.POWER else 20.0
        if given.exponent is None or not math.isfinite(given.exponent) or not 0.0 < given.exponent <= most:
            faults.append(("exponent", f"{_told(given.exponent)} is not above 0 and at most {most:g}."))
    elif given.exponent is not None and family is not None:
        faults.append(("exponent", f"The family {given.family} has no exponent."))
    return faults


def _prior_faults(given: Adjustment) -> list[tuple[str, str]]:
    faults = []
    if given.roas is None and given.scale is None:
        faults.append(("roas", "Give the return of the usual spend, the scale k, or both."))
    for name, value in (("roas", given.roas), ("scale", given.scale)):
        if value is not None and not (math.isfinite(value) and 0.0 < value <= LARGEST):
            faults.append((name, f"{_told(value)} is not a positive number of at most {LARGEST:g}."))
    if given.spread is None or not SUREST <= given.spread <= UNSUREST:
        faults.append(("spread", f"{_told(given.spread)} is not from {SUREST:g} to {UNSUREST:g}; 0.2 is within 20 %."))
    return faults


def _told(value: float | None) -> str:
    return "Nothing" if value is None else f"{value:g}"


def _counting(candidates: Sequence[Adjustment], record: Mapping[str, Any]) -> Adjustment | None:
    return max((one for one in candidates if one.holds_for(record)), key=lambda one: one.rank, default=None)


def _overridden(record: Record, given: Adjustment) -> Record:
    family = Family[given.family.upper()]
    params = {"a": given.a, "k": given.k}
    if family in EXPONENT_NAME:
        params[EXPONENT_NAME[family]] = given.exponent
    before, after = record["params"]["a"], given.a or 0.0
    return {
        **record,
        "family": family.label,
        "params": params,
        "amplitude_se": record["amplitude_se"] * after / before if before > 0.0 else record["amplitude_se"],
        "overridden": {**_who(given), "fitted": {"family": record["family"], "params": record["params"]}},
        "notes": [*record["notes"], f"Overridden by {given.by or 'the platform'}: {given.reason}"],
    }


def _with_prior(record: Record, given: Adjustment) -> Record:
    """The curve where reading and prior meet; its return is known best at the usual spend, so it is moved there."""
    shape = Family[record["family"].upper()]
    a, k, spend = (float(record["params"]["a"]), float(record["params"]["k"]), float(record["reference_spend"]))
    known = _at(shape, 1.0, k, spend, record)
    if a <= 0.0 or spend <= 0.0 or known <= 0.0 or given.spread is None:
        note = f"The prior of {given.by or 'the platform'} could not be combined: nothing was sold."
        return {**record, "notes": [*record["notes"], note]}
    level, error = math.log(a * known / spend), float(record["reference_relative_se"])
    weights = {}
    if given.roas is not None:
        level, error, weights["roas"] = _combined(level, error, math.log(given.roas), given.spread)
    blur = float(record["log_scale_sd"])
    if given.scale is not None:
        bend, blur, weights["scale"] = _combined(math.log(k), blur, math.log(given.scale), given.spread)
        k = math.exp(bend)
    a = math.exp(level) * spend / _at(shape, 1.0, k, spend, record)
    return {
        **record,
        "params": {**record["params"], "a": a, "k": k},
        "amplitude_se": a * error,
        "reference_relative_se": error,
        "log_scale_sd": blur,
        # The fit's own band knows nothing of the prior; the two errors above do.
        "band": [],
        "prior": {**_who(given), "weights": weights, "fitted": record["params"]},
        "notes": [*record["notes"], f"With a prior of {given.by or 'the platform'}: {given.reason}"],
    }


def _combined(reading: float, error: float, prior: float, spread: float) -> tuple[float, float, float]:
    """Two normal readings of one number: the mean by precision, its error, and the share of the prior."""
    weight = error**2 / (error**2 + spread**2)
    return (1.0 - weight) * reading + weight * prior, math.sqrt(weight) * spread, weight


def _at(family: Family, a: float, k: float, spend: float, record: Mapping[str, Any]) -> float:
    params = record["params"]
    curve = Curve(family, a, k, float(params.get("p", params.get("n", 1.0))))
    one = Responses.of([int(curve.family)], [curve.a], [curve.k], [curve.exponent])
    return float(one.value(np.array([spend]))[0])


def _who(given: Adjustment) -> dict[str, str]:
    return {
        "id": given.id, "by": given.by, "reason": given.reason, "at": given.at, "expires_on": given.expires_on
    }  # fmt: skip
