"""The rules that a contract can state about its rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, field_validator

from harmonization.core.contract_parts import Name, Part, Severity, Text


class _Rule(Part):
    id: Name
    severity: Severity = "quarantine"


class NotNull(_Rule):
    kind: Literal["not_null"]
    columns: list[Name] = Field(min_length=1)


class InSet(_Rule):
    """One of `values`, or of the closed list of the canonical schema that `vocabulary` names."""

    kind: Literal["in_set"]
    column: Name
    values: list[str] = []
    vocabulary: Name | None = None


class Regex(_Rule):
    kind: Literal["regex"]
    column: Name
    pattern: Text


class Range(_Rule):
    kind: Literal["range"]
    column: Name
    min: int | float | Text | None = None
    max: int | float | Text | None = None


class Expression(_Rule):
    """A condition that holds for good rows. It is neither kept nor broken where it is null.

    An attribution's id in it stands for each window of the file in turn.
    """

    kind: Literal["expression"]
    expression: Text


class Unique(_Rule):
    """No two rows of a file are the same in `columns`; the first of them is the good one."""

    kind: Literal["unique"]
    columns: list[Name] = Field(min_length=1)


class GtinCheck(_Rule):
    """A GTIN-8, -12, -13 or -14 whose check digit is right."""

    kind: Literal["gtin_check"]
    column: Name


class MinCell(_Rule):
    """A count of people, or of anything that could tell them apart, is 0 or at least `min`."""

    kind: Literal["min_cell"]
    column: Name
    min: Annotated[int, Field(ge=2, le=10_000)]
    severity: Severity = "warn"


class ReconcilesWith(_Rule):
    """Totals of `columns` are those of another report of the same account and period, within `tolerance` of them.

    One file cannot tell; it is compared once both reports are there. `tolerance` is a fraction.
    """

    kind: Literal["reconciles_with"]
    report: Name
    columns: list[Name] = Field(min_length=1)
    tolerance: Decimal = Decimal("0.002")
    severity: Literal["warn"] = "warn"

    @field_validator("tolerance", mode="before")
    @classmethod
    def _exact(cls, value: object) -> object:
        return Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value

    @field_validator("tolerance")
    @classmethod
    def _fraction(cls, value: Decimal) -> Decimal:
        if not 0 <= value < 1:
            raise ValueError("the tolerance is a fraction from 0 to 1")
        return value


Rule = Annotated[
    NotNull | InSet | Regex | Range | Expression | Unique | GtinCheck | MinCell | ReconcilesWith,
    Field(discriminator="kind"),
]
