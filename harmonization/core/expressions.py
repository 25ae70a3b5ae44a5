"""Arithmetic and conditions of contracts, compiled from SQL text through an allow-list.

The text is parsed by sqlglot and each node is translated by hand; what is not on the list is refused. SQL engines are
never handed the text: theirs read server files. Division by zero is null, money stays decimal until divided.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import polars as pl
import sqlglot
from sqlglot import exp

from tenants.core.problems import InvalidInput

LENGTH_LIMIT: Final = 400
DEPTH_LIMIT: Final = 12
NODE_LIMIT: Final = 80
LITERAL_LIMIT: Final = 64

_NUMBER = re.compile(r"\d{1,12}(\.\d{1,6})?")

Names = Mapping[str, pl.Expr]


class RefusedExpression(InvalidInput):
    """An expression that is not on the allow-list or too large."""

    code = "refused-expression"
    title = "The expression is not allowed"


@dataclass(frozen=True, slots=True)
class ParsedExpression:
    tree: exp.Expr
    names: frozenset[str]

    def compile(self, names: Names) -> pl.Expr:
        """The Polars expression, `names` giving the meaning of each identifier."""
        return _translate(self.tree, names)

    def type_problem(self, types: Mapping[str, pl.DataType], wanted: pl.DataType) -> str | None:
        """Why the expression over columns of `types` cannot become a column of `wanted`; None if it can."""
        row = pl.DataFrame({name: [None] for name in types}, schema=dict(types))
        compiled = self.compile({name: pl.col(name) for name in types})
        try:
            found = (row if types else pl.DataFrame({"": [None]})).select(compiled.alias("value"))["value"].dtype
        except pl.exceptions.PolarsError as error:
            return f"The expression mixes kinds that do not go together: {' '.join(str(error).split())[:160]}"
        both_numbers = found.is_numeric() and wanted.is_numeric()
        if found == wanted or both_numbers or found == pl.Null:
            return None
        return f"The expression is {_kind(found)}; here must stand {_kind(wanted)}."


_BINARY: Final[dict[type[exp.Expr], Callable[[pl.Expr, pl.Expr], pl.Expr]]] = {
    exp.Add: lambda a, b: a + b,
    exp.Sub: lambda a, b: a - b,
    exp.Mul: lambda a, b: a * b,
    exp.Div: lambda a, b: pl.when(b != 0).then(a.cast(pl.Float64) / b.cast(pl.Float64)),
    exp.EQ: lambda a, b: a == b,
    exp.NEQ: lambda a, b: a != b,
    exp.GT: lambda a, b: a > b,
    exp.GTE: lambda a, b: a >= b,
    exp.LT: lambda a, b: a < b,
    exp.LTE: lambda a, b: a <= b,
    exp.And: lambda a, b: a & b,
    exp.Or: lambda a, b: a | b,
}
_UNARY: Final[dict[type[exp.Expr], Callable[[pl.Expr], pl.Expr]]] = {
    exp.Neg: lambda a: -a,
    exp.Not: lambda a: ~a,
    exp.Abs: lambda a: a.abs(),
    exp.Paren: lambda a: a,
}
_ALLOWED: Final = (*_BINARY, *_UNARY, exp.Literal, exp.Column, exp.Identifier, exp.Coalesce, exp.Is, exp.Null)


def parse_expression(text: str) -> ParsedExpression:
    """Parse and vet an expression.

    Raises:
        RefusedExpression: it is too long, too deep, not an expression, or uses something that is not allowed.
    """
    if len(text) > LENGTH_LIMIT:
        raise RefusedExpression(f"The expression is longer than {LENGTH_LIMIT} characters.", fix="Shorten it.")
    if _bracket_depth(text) > DEPTH_LIMIT:
        raise RefusedExpression(f"Brackets are nested deeper than {DEPTH_LIMIT}.", fix="Simplify it.")
    try:
        tree = sqlglot.parse_one(text, dialect="duckdb")
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        raise RefusedExpression("The expression cannot be read.", fix="Write e.g. `spend / clicks`.") from error
    names: set[str] = set()
    for count, node in enumerate(tree.walk(), start=1):
        if count > NODE_LIMIT or node.depth > DEPTH_LIMIT * 2:
            raise RefusedExpression("The expression is too large.", fix="Split it.")
        if not isinstance(node, _ALLOWED):
            raise RefusedExpression(
                f"{type(node).__name__} is not allowed in an expression.",
                fix="Use + - * / comparisons, AND, OR, NOT, IS NULL, ABS and COALESCE.",
            )
        if isinstance(node, exp.Column):
            if len(node.parts) != 1:
                raise RefusedExpression(f"{node.sql()!r} is not a plain column.", fix="Name the column alone.")
            names.add(node.name)
        if isinstance(node, exp.Literal) and len(node.name) > LITERAL_LIMIT:
            raise RefusedExpression("A literal is too long.", fix="Shorten it.")
        if isinstance(node, exp.Literal) and not node.is_string and not _NUMBER.fullmatch(node.name):
            raise RefusedExpression(f"{node.name!r} is no plain number.", fix="Write up to 12 digits and 6 decimals.")
    return ParsedExpression(tree, frozenset(names))


def _kind(dtype: pl.DataType) -> str:
    if dtype.is_numeric():
        return "a number"
    return {pl.Boolean(): "a condition", pl.String(): "text", pl.Date(): "a date"}.get(dtype, str(dtype))


def _bracket_depth(text: str) -> int:
    depth = deepest = 0
    for sign in text:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        deepest = max(deepest, depth)
    return deepest


def _translate(node: exp.Expr, names: Names) -> pl.Expr:
    kind = type(node)
    if kind in _BINARY:
        return _BINARY[kind](_translate(node.this, names), _translate(node.expression, names))
    if kind in _UNARY:
        return _UNARY[kind](_translate(node.this, names))
    if isinstance(node, exp.Literal):
        return _literal(node)
    if isinstance(node, exp.Column):
        return names[node.name]
    if isinstance(node, exp.Coalesce):
        return pl.coalesce([_translate(part, names) for part in (node.this, *node.expressions)])
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return _translate(node.this, names).is_null()
    raise RefusedExpression(f"{kind.__name__} is not allowed here.", fix="See the list of allowed operations.")


def _literal(node: exp.Literal) -> pl.Expr:
    if node.is_string:
        return pl.lit(node.name)
    if node.name.isdigit():
        return pl.lit(int(node.name))
    return pl.lit(Decimal(node.name), dtype=pl.Decimal(18, 6))
