"""Expressions compute what they say, and nothing that is not on the list."""

from __future__ import annotations

import datetime
from decimal import Decimal

import polars as pl
import pytest

from harmonization.core.expressions import RefusedExpression, parse_expression

ROW = pl.DataFrame(
    {
        "spend": pl.Series(["10.50"], dtype=pl.String).cast(pl.Decimal(18, 6)),
        "sales": pl.Series(["10.51"], dtype=pl.String).cast(pl.Decimal(18, 6)),
        "clicks": [0],
        "impressions": [4],
        "empty": pl.Series([None], dtype=pl.Int64),
        "name": ["chips"],
        "nothing": pl.Series([None], dtype=pl.String),
        "day": [datetime.date(2024, 5, 1)],
        "huge": [9_000_000_000_000_000_000],
        "rich": pl.Series(["999999999999.999999"], dtype=pl.String).cast(pl.Decimal(18, 6)),
    }
)


def value(text: str) -> object:
    parsed = parse_expression(text)
    compiled = parsed.compile({name: pl.col(name) for name in parsed.names}, dict(ROW.schema))
    return ROW.lazy().select(compiled.value.alias("")).collect(engine="streaming").item()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("impressions + 2 * 3", 10),
        ("(impressions + 2) * 3", 18),
        ("-impressions - -1", -3),
        ("impressions / 8", 0.5),
        ("spend / clicks", None),
        ("spend / empty", None),
        ("impressions - clicks = 4 AND NOT clicks > 0", True),
        ("spend <> sales OR clicks >= 1", True),
        ("empty IS NULL", True),
        ("clicks IS NOT NULL", True),
        ("COALESCE(empty, impressions)", 4),
        ("abs(spend - sales) <= 0.01", True),
        ("abs(spend - sales) < 0.01", False),
        ("name = 'chips'", True),
        ("empty + 1 IS NULL", True),
        ("clicks / 0 IS NULL", True),
        ("NULL IS NULL", True),
        ("empty > 0 OR impressions > 100", None),
        ("empty > 0 AND impressions > 100", False),
        ("CASE WHEN empty > 0 THEN 1 WHEN impressions = 4 THEN 2.5 ELSE 3 END", Decimal("2.5")),
        ("CASE name WHEN 'crisps' THEN 1 WHEN 'chips' THEN 2 END", 2),
        ("CASE WHEN clicks > 0 THEN 'some' END", None),
        ("LEAST(impressions, empty, 7)", 4),
        ("GREATEST(spend, sales, 1)", Decimal("10.51")),
        ("LEAST('b', name, 'a')", "a"),
        ("ROUND(2.5)", Decimal(3)),
        ("ROUND(-2.345, 2)", Decimal("-2.35")),
        ("ROUND(impressions)", 4),
        ("NULLIF(impressions, 4)", None),
        ("NULLIF(impressions, empty)", 4),
        ("impressions BETWEEN 4 AND 5", True),
        ("NOT impressions BETWEEN 5 AND 6", True),
        ("impressions IN (1, 4)", True),
        ("name NOT IN ('a', 'b')", True),
        ("empty IN (1, 2)", None),
        ("day >= '2024-05-01' AND day < '2024-05-02'", True),
        ("CONCAT(UPPER(name), '-', nothing)", "CHIPS-"),
        ("CONCAT(nothing, nothing)", None),
        ("name || nothing", None),
        ("LOWER(TRIM('  A ')) || SUBSTR(name, 2, 3) || SUBSTRING(name, 5)", "ahips"),
        # What does not fit is empty: it neither wraps around nor fails the file.
        ("huge + huge", None),
        ("huge * huge", None),
        ("huge - huge", None),
        ("huge * 1", 9_000_000_000_000_000_000),
        ("rich * rich", Decimal("999999999999999998000000.000000")),
        ("rich * rich * rich", None),
        ("rich * rich * rich + 1", None),
    ],
)
def test_what_expressions_compute(text: str, expected: object) -> None:
    assert value(text) == expected


def test_money_stays_exact() -> None:
    assert value("spend + sales + 0.1") == Decimal("21.11")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT 1",
        "(SELECT spend FROM read_csv('/etc/passwd'))",
        "read_csv('/etc/passwd')",
        "spend; DROP TABLE x",
        "x.spend",
        "spend IN (SELECT 1)",
        "IF(clicks > 1, 2, 3)",
        "REPEAT(name, 1000000)",
        "RANDOM()",
        "getenv('HOME')",
        "name SIMILAR TO 'a'",
        "clicks IN (SELECT clicks FROM read_csv('/etc/passwd'))",
        "CASE WHEN EXISTS(SELECT 1) THEN 1 END",
        "LIST_REDUCE([1], x -> x)",
        "SUM(clicks)",
        "clicks ** 9",
        "$name",
        "?",
        "name LIKE '%a%'",
        "regexp_matches(name, '(a+)+$')",
        "CAST(spend AS TEXT)",
        "spend::text",
        "now()",
        "*",
        "spend +",
        "1" * 200,
        "(" * 50 + "1" + ")" * 50,
        " + ".join(["spend"] * 60),
        "name = '" + "x" * 100 + "'",
        "spend + " * 100 + "1",
        "-" * 300 + "1",
        "1e999999999",
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(RefusedExpression) as caught:
        parse_expression(text)
    assert caught.value.fix


@pytest.mark.parametrize(
    "text",
    [
        "TRIM(BOTH 'x' FROM name)",
        "name + 1",
        "name / clicks",
        "-name",
        "ABS(name)",
        "ROUND(name, 1)",
        "name > 1",
        "day > 1",
        "day > '2024-02-30'",
        "day + 1",
        "day - day",
        "NOT clicks",
        "clicks AND impressions",
        "CASE WHEN clicks THEN 1 END",
        "CASE WHEN clicks > 1 THEN 1 ELSE name END",
        "COALESCE(clicks, name)",
        "LEAST(day, clicks)",
        "UPPER(clicks)",
        "CONCAT(name, clicks)",
        "name || clicks",
        "(clicks > 1) > (clicks > 2)",
        "ROUND(spend, 7)",
        "ROUND(spend, clicks)",
        "SUBSTR(name, 0)",
        "SUBSTR(name, clicks)",
    ],
)
def test_kinds_that_do_not_go_together_are_refused_before_a_file_is_read(text: str) -> None:
    parsed = parse_expression(text)
    with pytest.raises(RefusedExpression) as caught:
        parsed.compile({name: pl.col(name) for name in parsed.names}, dict(ROW.schema))
    assert caught.value.fix
