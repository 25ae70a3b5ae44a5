"""Back into planning: a reading becomes factors of all cells, the factors a version of the curves, and plans move.

There is one store of factors, that of metrics, so that plans and reports cannot disagree; and one chain from a figure
in a plan back to the test: solve, curve version, factor set, calibration, reading, data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from django.db import transaction

from accounts.models import Brand, User
from accounts.services import require
from harmonization.models import Retailer
from measurement import selectors
from measurement.core.calibration import LEVEL, USUAL_DRAWS, Calibrated, Cell, CellFactor, CellTest, calibrate
from measurement.core.reallocation import Lines
from measurement.models import Calibration, Reading
from measurement.services.kept_previews import kept_preview
from measurement.services.tested_cells import cell_of, cell_test, refuse_unusable
from metrics.core.incrementality import LARGEST
from metrics.models import FactorSet
from metrics.services import NewFactor, publish_factors
from optimization import selectors as optimization
from optimization.core.factors import Factors
from optimization.core.responses import Responses
from optimization.core.stored_curves import StoredCurve
from optimization.models import CurveVersion
from optimization.services import lock_numbers, recalibrate_curves
from tenants.core.problems import Conflict

PUBLISH: Final = "factors.publish"
#: A factor holds for a year from the end of the test.
VALID_DAYS: Final = 365
#: How far a line may move in the allocation that a preview shows.
CHANGE: Final = 0.5
_STEP: Final = Decimal(1).scaleb(-6)
_Z: Final = NormalDist().inv_cdf((1.0 + LEVEL) / 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A value with the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What a reading changes in one cell.

    Attributes:
        before: the factor in force, 1 where there is none. after: the one that would be published.
        source: experiment, or proxy where it is taken over. influence: of this reading, 0 to 1.
        spend: of the budget, money a week: now, under the factors before, and after.
    """

    retailer: str
    placement: str
    before: float
    after: Range
    source: str
    influence: float
    spend: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What using a reading in planning changes; nothing is stored yet.

    Attributes:
        prior, test, after: iROAS of the tested change of spend: before this reading, by it alone, and with it.
        attributed: ROAS that the networks attribute to the same change.
        narrower: by how much of its width the interval shrinks; below zero where the test widens it.
        valid_from, valid_to: days of the money that the factors hold for.
        transfers: all cells, the tested one first. tests: labels of the experiments it rests on.
        moved: share of the budget that goes elsewhere than under the factors before.
        curves: number of the curve version it starts from; None without curves.
    """

    experiment: str
    retailer: str
    placement: str
    attributed: float
    prior: Range
    test: Range
    after: Range
    narrower: float
    valid_from: date
    valid_to: date
    transfers: tuple[Transfer, ...]
    tests: tuple[str, ...]
    moved: float
    curves: int | None

    def as_dict(self) -> dict[str, Any]:
        """As a calibration keeps it."""
        return asdict(self) | {"valid_from": str(self.valid_from), "valid_to": str(self.valid_to)}


@dataclass(frozen=True)
class _Found:
    """A preview, and what it was made of."""

    preview: Preview
    calibrated: Calibrated
    readings: tuple[Reading, ...]


def preview_planning(*, as_user: User, reading: Reading) -> Preview:
    """What `use_in_planning` would change.

    Raises:
        Conflict, InvalidInput: the reading is none that plans can use; says why.
        NotAllowed, NotFound: as `accounts.services.require` for experiments.view.
    """
    require(user=as_user, permission=selectors.VIEW, brand=reading.experiment.brand)
    refuse_unusable(reading)
    return kept_preview(reading, lambda: _found(reading).preview)


def use_in_planning(*, as_user: User, reading: Reading) -> Calibration:
    """Publish what a reading says: factors of its cell and, shrunken, of the others, and a curve version under them.

    Whoever solves from then on solves with them. All readings of the brand that are used in planning count together,
    of each experiment the one that was used last. Asked again, it is the same calibration, until another came since.

    Raises:
        Conflict: the reading is none that plans can use, or what it says has run out; says why.
        InvalidInput: its return or the reports of its days are missing.
        NotAllowed, NotFound: as `accounts.services.require` for factors.publish.
    """
    brand = reading.experiment.brand
    require(user=as_user, permission=PUBLISH, brand=brand)
    with transaction.atomic():
        lock_numbers("calibrations")
        if (same := _newest(brand, reading)) is not None:
            return same
        found = _found(reading)
        preview = found.preview
        today = selectors.today()
        if preview.valid_to < today:
            raise Conflict(
                f"{preview.experiment} ended more than {VALID_DAYS} days ago; what it says ran out on "
                f"{preview.valid_to}.",
                fix="Test the cell again.",
            )
        published = publish_factors(
            actor=as_user, brand=brand, factors=_factors(found, reading),
            source=f"{preview.experiment} {reading.experiment.name}, reading {reading.number}"[:200],
            # What was said before and unsaid since is said anew: a set counts by when it was published.
            note=f"Rests on {', '.join(preview.tests)}; hierarchical over retailers and placements, as of {today}, "
            f"after version {FactorSet.objects.order_by('-version').values_list('version', flat=True).first() or 0}.",
        )  # fmt: skip
        curves = recalibrate_curves(brand=brand)
        made, _ = Calibration.objects.get_or_create(
            reading=reading, factor_set=published.factor_set,
            defaults={
                "curve_version": curves.version if curves else None,
                "summary": preview.as_dict() | {"readings": [str(one.pk) for one in found.readings]},
                "published_by": as_user,
            },
        )  # fmt: skip
    return made


def tests_in_planning(brand: Brand | None) -> tuple[Reading, ...]:
    """Of each experiment of exactly this scope the reading that was used in planning last, the oldest first."""
    rows = Calibration.objects.filter(reading__experiment__brand=brand).select_related(
        "reading__experiment__retailer", "reading__experiment__brand"
    )
    newest = {one.reading.experiment_id: one.reading for one in rows.order_by("published_at", "pk")}
    return tuple(newest.values())


def calibrated_cells(
    curves: Sequence[StoredCurve], tests: Sequence[CellTest], *, draws: int = USUAL_DRAWS
) -> Calibrated:
    """Factors of the cells of a brand's curves, and of the tested ones, from these tests."""
    cells = dict.fromkeys([*(test.cell for test in tests), *(cell_of(one) for one in curves)])
    return calibrate(list(cells), tests, draws=draws)


def curves_of(version: CurveVersion | None) -> tuple[StoredCurve, ...]:
    """Curves of a version as solves read them today; none without a version."""
    return tuple(StoredCurve.of(one) for one in optimization.curves_in_use(version).records) if version else ()


def budget_lines(curves: Sequence[StoredCurve], place: dict[Cell, int], change: float | None = CHANGE) -> Lines:
    """Lines of the curves, each within `change` of its usual spend; None is any amount."""
    spend = np.array([one.reference_spend for one in curves])
    return Lines(
        Responses.of(
            [int(one.family) for one in curves], [one.a for one in curves], [one.k for one in curves],
            [one.exponent for one in curves],
        ),
        np.array([place[cell_of(one)] for one in curves], dtype=np.int64),
        spend * (1.0 - change) if change is not None else np.zeros(spend.size),
        spend * (1.0 + change) if change is not None else np.full(spend.size, np.inf),
    )  # fmt: skip


def calibration_in_use(reading: Reading) -> Calibration | None:
    """What planning has from a reading today; None where it took nothing over, or something newer has taken its place,
    so that it would be published anew."""
    return _newest(reading.experiment.brand, reading)


def _newest(brand: Brand | None, reading: Reading) -> Calibration | None:
    """The calibration of this reading, where nothing has come since: no other one of the brand, no factor by a person,
    no curve of a cell that it knows nothing of."""
    newest = (
        Calibration.objects.filter(reading__experiment__brand=brand)
        .select_related("factor_set", "curve_version")
        .order_by("-published_at", "-pk")
        .first()
    )
    if newest is None or newest.reading_id != reading.pk:
        return None
    version = optimization.latest_curves(brand=brand)
    tested, *_ = known = [(one["retailer"], one["placement"]) for one in newest.summary["transfers"]]
    counts = optimization.incrementality_factors(brand, on=selectors.today()).for_cell(
        tested[0], tested[1] or "unknown"
    )
    if counts is None or counts.version != newest.factor_set.version:
        return None
    return newest if {cell_of(one) for one in curves_of(version)} <= set(known) else None


def _found(reading: Reading) -> _Found:
    first, last = refuse_unusable(reading)
    brand, today = reading.experiment.brand, selectors.today()
    version = optimization.latest_curves(brand=brand)
    curves = curves_of(version)
    others = [one for one in tests_in_planning(brand) if one.experiment_id != reading.experiment_id]
    own = cell_test(reading, curves, on=today)
    known = [cell_test(one, curves, on=today) for one in others]
    after = calibrated_cells(curves, [own, *known])
    before = calibrate([one.cell for one in after.factors], known, draws=1)
    mine, was = after.of(own.cell), before.of(own.cell)
    if mine is None or was is None:
        raise AssertionError("the tested cell is among the cells")
    in_force = optimization.incrementality_factors(brand, on=today)
    spend, moved = _spend(curves, after, in_force)
    prior, then = _times(was, own.attributed), _times(mine, own.attributed)
    half = _Z * own.se
    preview = Preview(
        experiment=reading.experiment.label, retailer=own.retailer, placement=own.placement,
        attributed=own.attributed, prior=prior, after=then,
        test=Range(value=own.iroas, low=own.iroas - half, high=own.iroas + half),
        narrower=1.0 - (then.high - then.low) / (prior.high - prior.low),
        valid_from=first, valid_to=last + timedelta(days=VALID_DAYS),
        transfers=_transfers(after, own, in_force, spend), tests=(own.id, *(one.id for one in known)), moved=moved,
        curves=version.number if version else None,
    )  # fmt: skip
    return _Found(preview, after, (reading, *others))


def _times(factor: CellFactor, attributed: float) -> Range:
    return Range(value=factor.value * attributed, low=factor.low * attributed, high=factor.high * attributed)


def _transfers(
    after: Calibrated, own: CellTest, in_force: Factors, spend: dict[Cell, tuple[float, float, float]]
) -> tuple[Transfer, ...]:
    found = [
        Transfer(
            retailer=one.retailer, placement=one.placement, before=_in_force(in_force, one.cell),
            after=Range(value=one.value, low=one.low, high=one.high), source=one.source,
            influence=dict(zip(one.rests_on, one.influence, strict=True)).get(own.id, 0.0),
            spend=spend.get(one.cell, (0.0, 0.0, 0.0)),
        )
        for one in after.factors
    ]  # fmt: skip
    return tuple(
        sorted(found, key=lambda one: ((one.retailer, one.placement) != own.cell, -one.influence, one.retailer))
    )


def _in_force(factors: Factors, cell: Cell) -> float:
    found = factors.for_cell(cell[0], cell[1] or "unknown")
    return 1.0 if found is None else found.multiplier


def _spend(
    curves: Sequence[StoredCurve], after: Calibrated, in_force: Factors
) -> tuple[dict[Cell, tuple[float, float, float]], float]:
    """Where the usual money of a week goes by cell, now and under the factors before and after; and what moves."""
    place = {one.cell: at for at, one in enumerate(after.factors)}
    usual = np.array([one.reference_spend for one in curves])
    budget = float(usual.sum())
    if budget <= 0.0:
        return {}, 0.0
    lines = budget_lines(curves, place)
    before = np.array([_in_force(in_force, one.cell) for one in after.factors])
    spends = lines.allocate(np.array([before, after.value]), budget)
    sums = [np.bincount(lines.cell, weights=one, minlength=len(place)) for one in (usual, *spends)]
    moved = float(np.abs(spends[1] - spends[0]).sum()) / 2.0 / budget
    return {cell: (float(sums[0][at]), float(sums[1][at]), float(sums[2][at])) for cell, at in place.items()}, moved


def _factors(found: _Found, reading: Reading) -> list[NewFactor]:
    retailers = dict(Retailer.objects.values_list("name", "pk"))
    tested = {one.experiment.label: one.evidence for one in found.readings}
    out = []
    for one in found.calibrated.factors:
        if one.source == "prior" or one.retailer not in retailers:
            continue
        own = [test.id for test in found.calibrated.tests if test.cell == one.cell]
        # A cell that was tested has the class of its weakest test: a modelled counterfactual is no randomised one.
        evidence = "proxy"
        if own:
            evidence = "experiment" if all(tested[name] == "experiment" for name in own) else "counterfactual"
        how = f"{'tested by' if own else 'taken over from'} {', '.join(own or one.rests_on[:3])}"
        low, value, high = (min(Decimal(repr(part)).quantize(_STEP), Decimal(LARGEST)) for part in (
            min(one.low, one.value), one.value, max(one.high, one.value)
        ))  # fmt: skip
        out.append(
            NewFactor(
                low=low, value=value, high=high, level=Decimal(repr(LEVEL)), evidence=evidence,
                method=f"hierarchical calibration, {how}"[:200], retailer=retailers[one.retailer],
                placement=one.placement, valid_from=found.preview.valid_from, valid_to=found.preview.valid_to,
            )
        )  # fmt: skip
    return out
