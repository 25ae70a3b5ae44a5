"""Publishing incrementality factors: the door by which experiments and studies set what figures are multiplied with."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import Max

from accounts import services as people
from accounts.models import Brand, User
from harmonization.core.rmis import PLACEMENTS
from harmonization.models import Retailer
from metrics.core.ids import brand_id
from metrics.core.incrementality import EVIDENCE, LARGEST, MOST_FACTORS, OUTCOMES
from metrics.models import FactorSet, IncrementalityFactor
from tenants.core.problems import InvalidInput, TooLarge
from tenants.selectors import current_tenant

log = structlog.get_logger(__name__)

COLUMNS: Final = (
    "outcome", "retailer", "placement", "campaign_type", "low", "value", "high", "level", "evidence", "method",
    "valid_from", "valid_to",
)  # fmt: skip
LARGEST_FILE: Final = 1 << 20
#: Characters of a cell: the longest column is the method's.
LARGEST_CELL: Final = 200
_STEP: Final = Decimal(1).scaleb(-6)
_LEVEL_STEP: Final = Decimal(1).scaleb(-3)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFactor:
    """One factor to publish.

    Attributes:
        outcome: sales, orders or units.
        retailer: id of the retailer it holds for; None is any. placement, campaign_type: empty is any.
        low, value, high: incremental per attributed unit, with the ends of the interval.
        level: of the interval, 0.8 for 80 %.
        evidence: one of `EVIDENCE`.
        method: how it was found, as the disclosure says it.
        valid_from, valid_to: days of the rows it holds for; None is open.
    """

    low: Decimal
    value: Decimal
    high: Decimal
    evidence: str
    method: str
    outcome: str = "sales"
    retailer: UUID | None = None
    placement: str = ""
    campaign_type: str = ""
    level: Decimal = Decimal("0.8")
    valid_from: date | None = None
    valid_to: date | None = None

    @property
    def scope(self) -> tuple[object, ...]:
        """Two factors of one set must not hold for the same rows."""
        return self.outcome, self.retailer, self.placement, self.campaign_type


@dataclass(frozen=True, slots=True)
class Published:
    """The set, and whether this call made it: the same content is published once."""

    factor_set: FactorSet
    created: bool


def publish_factors(
    *, actor: User, source: str, factors: Sequence[NewFactor], brand: Brand | None = None, note: str = ""
) -> Published:
    """Publish a set of factors; from then on incremental figures rest on it. It cannot be changed afterwards: a
    correction is a later set, which counts before it.

    Args:
        source: the experiment, study or decision they come from.
        brand: whose figures they are for; None is all brands.

    Raises:
        NotAuthenticated, NotAllowed, NotFound: as `accounts.services.require` for factors.publish.
        InvalidInput: a factor breaks a rule, or two of them hold for the same rows; `errors` names each.
        TooLarge: more factors than figures are computed with.
    """
    people.require(user=actor, permission="factors.publish", brand=brand)
    if not source.strip() or len(source) > 200:
        raise InvalidInput(
            "Factors need their source.", where="source", fix="Name the experiment or study, in 200 characters."
        )
    for where, words in (("source", source), ("note", note)):
        if "\x00" in words:
            raise InvalidInput(f"The {where} holds a character with the code zero.", where=where, fix="Remove it.")
    _check(factors)
    digest = _digest(brand, source.strip(), note.strip(), factors)
    with transaction.atomic():
        _lock_versions()
        if known := FactorSet.objects.filter(sha256=digest).first():
            return Published(known, created=False)
        latest = FactorSet.objects.aggregate(top=Max("version"))["top"] or 0
        made = FactorSet.objects.create(
            version=latest + 1, brand=brand, source=source.strip(), note=note.strip(), sha256=digest,
            published_by=actor,
        )  # fmt: skip
        IncrementalityFactor.objects.bulk_create(
            IncrementalityFactor(
                factor_set=made,
                retailer_id=factor.retailer,
                **{name: value for name, value in asdict(factor).items() if name != "retailer"},
            )
            for factor in factors
        )
    log.info("factors_published", version=made.version, factors=len(factors), by=str(actor.pk))
    return Published(made, created=True)


def brand_to_publish_for(*, actor: User, brand: str) -> Brand | None:
    """The brand that a form or a request names by its id; None for none.

    Raises:
        NotFound, NotAllowed: it is not this person's to publish for.
        InvalidInput: it is no id.
    """
    if not brand:
        return None
    key = brand_id(brand)
    people.require(user=actor, permission="factors.publish", brand=key)
    return Brand.objects.get(pk=key)


def _lock_versions() -> None:
    """Until the transaction ends, nobody else of this tenant numbers sets."""
    digest = hashlib.sha256(f"{current_tenant().schema_name} factor sets".encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(digest[:8], "big", signed=True)])


def _digest(brand: Brand | None, source: str, note: str, factors: Iterable[NewFactor]) -> str:
    content = {
        "brand": str(brand.pk) if brand else None,
        "source": source,
        "note": note,
        "factors": sorted(json.dumps(_plain(factor), sort_keys=True) for factor in factors),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _plain(factor: NewFactor) -> dict[str, str | None]:
    return {
        name: None if value is None else f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
        for name, value in asdict(factor).items()
    }


def _check(factors: Sequence[NewFactor]) -> None:
    if not factors:
        raise InvalidInput("There is no factor to publish.", where="factors", fix="Give at least one.")
    if len(factors) > MOST_FACTORS:
        raise TooLarge(
            f"{len(factors)} factors are more than figures are computed with.",
            where="factors",
            fix=f"Publish at most {MOST_FACTORS}; leave parts of the scope open.",
        )
    retailers = set(Retailer.objects.values_list("pk", flat=True))
    errors = []
    seen: dict[tuple[object, ...], list[NewFactor]] = {}
    for number, factor in enumerate(factors, start=1):
        errors += [
            {"where": f"factor {number}, {where}", "detail": detail} for where, detail in _faults(factor, retailers)
        ]
        if any(_overlap(factor, other) for other in seen.setdefault(factor.scope, [])):
            errors.append({"where": f"factor {number}", "detail": "An earlier one holds for the same rows."})
        seen[factor.scope].append(factor)
    if errors:
        first = errors[0]
        raise InvalidInput(
            first["detail"], where=first["where"], fix="Correct the factors and publish again.", errors=errors
        )


def _overlap(one: NewFactor, other: NewFactor) -> bool:
    return (one.valid_from or date.min) <= (other.valid_to or date.max) and (other.valid_from or date.min) <= (
        one.valid_to or date.max
    )


def _faults(factor: NewFactor, retailers: set[UUID]) -> Iterable[tuple[str, str]]:
    numbers = {"low": factor.low, "value": factor.value, "high": factor.high, "level": factor.level}
    for name, number in numbers.items():
        if not number.is_finite() or abs(number) > LARGEST or number != number.quantize(_STEP):
            yield name, f"{number} is no factor: at most {LARGEST}, with up to 6 digits after the point."
            return
    if not factor.low <= factor.value <= factor.high:
        yield "value", f"{factor.value} does not lie from {factor.low} to {factor.high}."
    if not 0 < factor.level < 1 or factor.level != factor.level.quantize(_LEVEL_STEP):
        yield "level", f"{factor.level} is no level: 0.8 stands for 80 %, with up to 3 digits after the point."
    if factor.outcome not in OUTCOMES:
        yield "outcome", f"{factor.outcome!r} is none of: {', '.join(OUTCOMES)}."
    if factor.evidence not in EVIDENCE:
        yield "evidence", f"{factor.evidence!r} is none of: {', '.join(EVIDENCE)}."
    if not factor.method.strip() or len(factor.method) > 200:
        yield "method", "Say how it was found, in 200 characters: the disclosure repeats it."
    if factor.retailer is not None and factor.retailer not in retailers:
        yield "retailer", "There is no such retailer."
    if factor.placement and factor.placement not in PLACEMENTS:
        yield "placement", f"{factor.placement!r} is no canonical placement."
    if any("\x00" in text for text in (factor.method, factor.campaign_type)):
        yield "method" if "\x00" in factor.method else "campaign_type", "It holds a character with the code zero."
    if len(factor.campaign_type) > 60:
        yield "campaign_type", "It has more than 60 characters."
    if factor.valid_from and factor.valid_to and factor.valid_to < factor.valid_from:
        yield "valid_to", f"{factor.valid_to} lies before {factor.valid_from}."


def read_factor_file(text: str) -> list[NewFactor]:
    """Factors of a CSV file with the columns `COLUMNS`; `retailer` is a slug, empty cells are open or usual.

    Raises:
        InvalidInput: the text is no CSV, or a column or cell is missing or cannot be read; `errors` names each row.
        TooLarge: it has more text than factors need.
    """
    if len(text) > LARGEST_FILE:
        raise TooLarge("The file has more than a mebibyte.", where="file", fix="Publish fewer factors.")
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        raise InvalidInput(
            "The file holds a character with the code zero.", where=f"line {line}", fix="Save it as CSV in UTF-8."
        )
    # Without a line end of its own, the text keeps those of the file, and the reader knows all three kinds.
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    try:
        return _factors_in(reader)
    except csv.Error as fault:
        raise InvalidInput(
            f"The file is no CSV that can be read: {fault}.",
            where=f"line {reader.line_num + 1}",
            fix="Save it as CSV in UTF-8, one factor in a line.",
        ) from None


def _factors_in(reader: csv.DictReader[str]) -> list[NewFactor]:
    given = set(reader.fieldnames or [])
    if unknown := sorted(given - set(COLUMNS)):
        raise InvalidInput(
            f"There is no column {unknown[0]!r}.", where="line 1", fix=f"Use some of: {', '.join(COLUMNS)}."
        )
    if missing := [name for name in ("low", "value", "high", "evidence", "method") if name not in given]:
        raise InvalidInput(f"The column {missing[0]!r} is missing.", where="line 1", fix="Add it.")
    retailers = dict(Retailer.objects.values_list("slug", "pk"))
    factors, errors = [], []
    for row in reader:
        try:
            factors.append(_factor_of(row, retailers))
        except (ValueError, InvalidOperation, KeyError) as fault:
            detail = (
                f"There is no retailer {fault}." if isinstance(fault, KeyError) else f"A cell cannot be read: {row}"
            )
            errors.append({"where": f"line {reader.line_num}", "detail": detail[:300]})
    if errors:
        first = errors[0]
        raise InvalidInput(first["detail"], where=first["where"], fix="Correct the file.", errors=errors)
    return factors


def _factor_of(row: dict[str, str], retailers: dict[str, UUID]) -> NewFactor:
    cells = {name: (value or "").strip() for name, value in row.items() if name}

    if any(len(cell) > LARGEST_CELL for cell in cells.values()):
        raise ValueError

    def day(name: str) -> date | None:
        return date.fromisoformat(cells[name]) if cells.get(name) else None

    return NewFactor(
        outcome=cells.get("outcome") or "sales",
        retailer=retailers[cells["retailer"]] if cells.get("retailer") else None,
        placement=cells.get("placement", ""),
        campaign_type=cells.get("campaign_type", ""),
        low=Decimal(cells["low"]),
        value=Decimal(cells["value"]),
        high=Decimal(cells["high"]),
        level=Decimal(cells.get("level") or "0.8"),
        evidence=cells["evidence"],
        method=cells["method"],
        valid_from=day("valid_from"),
        valid_to=day("valid_to"),
    )
