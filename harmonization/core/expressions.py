"""Arithmetic and conditions of contracts, compiled from SQL text through an allow-list.

The text is parsed by sqlglot and each node is translated by hand; what is not on the list is refused. SQL engines are
never handed the text: theirs read server files. Division by zero is null, money stays decimal until divided.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

import polars as pl
import sqlglot
from sqlglot import exp

from harmonization.core import operands
from harmonization.core.operands import NULL, Operand, RefusedExpression

__all__ = ["FUNCTIONS", "ParsedExpression", "RefusedExpression", "parse_expression"]

LENGTH_LIMIT: Final = 400
DEPTH_LIMIT: Final = 12
NODE_LIMIT: Final = 80
LITERAL_LIMIT: Final = 64

_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
#: Operations by the words of the documentation.
FUNCTIONS: Final = (
    *("ABS", "CASE", "COALESCE", "CONCAT", "GREATEST", "LEAST", "LOWER", "NULLIF", "ROUND", "SUBSTR", "TRIM", "UPPER"),
)

_COMPARISONS: Final[dict[type[exp.Expr], tuple[str, Callable[[pl.Expr, pl.Expr], pl.Expr]]]] = {
    exp.EQ: ("=", operator.eq),
    exp.NEQ: ("<>", operator.ne),
    exp.GT: (">", operator.gt),
    exp.GTE: (">=", operator.ge),
    exp.LT: ("<", operator.lt),
    exp.LTE: ("<=", operator.le),
}
_TEXT: Final[dict[type[exp.Expr], tuple[str, Callable[[pl.Expr], pl.Expr]]]] = {
    exp.Lower: ("LOWER", lambda text: text.str.to_lowercase()),
    exp.Upper: ("UPPER", lambda text: text.str.to_uppercase()),
    exp.Trim: ("TRIM", lambda text: text.str.strip_chars(" ")),
}
_ALLOWED: Final = (
    *_COMPARISONS,
    *_TEXT,
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Abs, exp.Round),
    *(exp.And, exp.Or, exp.Not, exp.Is, exp.Between, exp.In),
    *(exp.Case, exp.If, exp.Coalesce, exp.Least, exp.Greatest, exp.Nullif),
    *(exp.Concat, exp.DPipe, exp.Substring),
    *(exp.Literal, exp.Column, exp.Identifier, exp.Null, exp.Paren),
)


@dataclass(frozen=True, slots=True)
class ParsedExpression:
    tree: exp.Expr
    names: frozenset[str]

    def compile(self, names: Mapping[str, pl.Expr], types: Mapping[str, pl.DataType]) -> Operand:
        """The expression over columns, `names` and `types` giving the meaning of each identifier.

        Raises:
            RefusedExpression: it mixes kinds of values that do not go together.
        """
        return _translate(self.tree, {name: operands.of_column(names[name], types[name]) for name in self.names})


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
        _vet(node)
        if isinstance(node, exp.Column):
            names.add(node.name)
    return ParsedExpression(tree, frozenset(names))


def _vet(node: exp.Expr) -> None:
    if not isinstance(node, _ALLOWED) or (isinstance(node, exp.If) and not isinstance(node.parent, exp.Case)):
        raise RefusedExpression(
            f"{type(node).__name__} is not allowed in an expression.",
            fix=f"Use + - * / || comparisons, AND, OR, NOT, IS NULL, IN, BETWEEN and {', '.join(FUNCTIONS)}.",
        )
    if isinstance(node, exp.Column) and len(node.parts) != 1:
        raise RefusedExpression(f"{node.sql()!r} is not a plain column.", fix="Name the column alone.")
    if isinstance(node, exp.Literal) and len(node.name) > LITERAL_LIMIT:
        raise RefusedExpression("A literal is too long.", fix="Shorten it.")
    if isinstance(node, exp.Literal) and not node.is_string and not _NUMBER.fullmatch(node.name):
        raise RefusedExpression(f"{node.name!r} is no plain number.", fix="Write up to 12 digits and 6 decimals.")


def _bracket_depth(text: str) -> int:
    depth = deepest = 0
    for sign in text:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        deepest = max(deepest, depth)
    return deepest


Names = Mapping[str, Operand]


def _translate(node: exp.Expr, names: Names) -> Operand:
    if isinstance(node, exp.Paren):
        return _translate(node.this, names)
    if isinstance(node, exp.Column):
        return names[node.name]
    if isinstance(node, exp.Literal):
        return operands.of_text(node.name) if node.is_string else operands.of_number(node.name)
    if isinstance(node, exp.Null):
        return NULL
    for translate in (_arithmetic, _condition, _choice, _text):
        found = translate(node, names)
        if found is not None:
            return found
    raise RefusedExpression(f"{type(node).__name__} is not allowed here.", fix="See the list of allowed operations.")


def _pair(node: exp.Expr, names: Names) -> tuple[Operand, Operand]:
    return _translate(node.this, names), _translate(node.expression, names)


def _arithmetic(node: exp.Expr, names: Names) -> Operand | None:
    if isinstance(node, exp.Add | exp.Sub):
        left, right = _pair(node, names)
        sign: Literal["+", "-"] = "+" if isinstance(node, exp.Add) else "-"
        return operands.add(left, right, sign)
    if isinstance(node, exp.Mul):
        return operands.multiply(*_pair(node, names))
    if isinstance(node, exp.Div):
        return operands.divide(*_pair(node, names))
    if isinstance(node, exp.Neg | exp.Abs):
        (part,) = operands.numbers([_translate(node.this, names)], type(node).__name__)
        value = -part.value if isinstance(node, exp.Neg) else part.value.abs()
        return Operand(value, part.kind, part.digits)
    if isinstance(node, exp.Round):
        return operands.rounded(_translate(node.this, names), _whole(node.args.get("decimals"), "ROUND", 0, 6))
    return None


def _condition(node: exp.Expr, names: Names) -> Operand | None:
    if type(node) in _COMPARISONS:
        return operands.compare(*_pair(node, names), *_COMPARISONS[type(node)])
    if isinstance(node, exp.And | exp.Or):
        left, right = (operands.expect(part, "condition", node.key.upper()) for part in _pair(node, names))
        return Operand(left & right if isinstance(node, exp.And) else left | right, "condition")
    if isinstance(node, exp.Not):
        return Operand(~operands.expect(_translate(node.this, names), "condition", "NOT"), "condition")
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return Operand(_translate(node.this, names).value.is_null(), "condition")
    if isinstance(node, exp.Between):
        part = _translate(node.this, names)
        low = operands.compare(part, _translate(node.args["low"], names), ">=", operator.ge)
        high = operands.compare(part, _translate(node.args["high"], names), "<=", operator.le)
        return Operand(low.value & high.value, "condition")
    if isinstance(node, exp.In) and node.expressions:
        part = _translate(node.this, names)
        equal = [operands.compare(part, _translate(each, names), "=", operator.eq) for each in node.expressions]
        return Operand(pl.any_horizontal(each.value for each in equal), "condition")
    return None


def _choice(node: exp.Expr, names: Names) -> Operand | None:
    if isinstance(node, exp.Case):
        return _case(node, names)
    if isinstance(node, exp.Coalesce | exp.Least | exp.Greatest):
        parts = [_translate(part, names) for part in (node.this, *node.expressions)]
        pick = {"coalesce": pl.coalesce, "least": pl.min_horizontal, "greatest": pl.max_horizontal}[node.key]
        return operands.among(parts, node.key.upper(), cast(Callable[[list[pl.Expr]], pl.Expr], pick))
    if isinstance(node, exp.Nullif):
        part, other = _pair(node, names)
        same = operands.compare(part, other, "=", operator.eq).value
        return Operand(pl.when(~same.fill_null(False)).then(part.value), part.kind, part.digits)
    return None


def _case(node: exp.Case, names: Names) -> Operand:
    """CASE WHEN, or CASE x WHEN; a condition that is null does not hold."""
    subject = _translate(node.this, names) if node.this is not None else None
    conditions = []
    for branch in node.args["ifs"]:
        told = _translate(branch.this, names)
        if subject is not None:
            told = operands.compare(subject, told, "=", operator.eq)
        conditions.append(operands.expect(told, "condition", "WHEN"))
    results = [_translate(branch.args["true"], names) for branch in node.args["ifs"]]
    default = node.args.get("default")
    results.append(NULL if default is None else _translate(default, names))

    def pick(values: list[pl.Expr]) -> pl.Expr:
        chosen = values[-1]
        for condition, value in zip(reversed(conditions), reversed(values[:-1]), strict=True):
            chosen = pl.when(condition).then(value).otherwise(chosen)
        return chosen

    return operands.among(results, "CASE", pick)


def _text(node: exp.Expr, names: Names) -> Operand | None:
    if type(node) in _TEXT and not any(value for key, value in node.args.items() if key != "this"):
        word, change = _TEXT[type(node)]
        return Operand(change(operands.expect(_translate(node.this, names), "text", word)), "text")
    if isinstance(node, exp.Concat):
        parts = [operands.expect(_translate(part, names), "text", "CONCAT") for part in node.expressions]
        something = pl.any_horizontal(part.is_not_null() for part in parts)
        return Operand(pl.when(something).then(pl.concat_str(parts, ignore_nulls=True)), "text")
    if isinstance(node, exp.DPipe):
        joined = [operands.expect(part, "text", "||") for part in _pair(node, names)]
        return Operand(pl.concat_str(joined), "text")
    if isinstance(node, exp.Substring):
        text = operands.expect(_translate(node.this, names), "text", "SUBSTR")
        start = _whole(node.args.get("start"), "SUBSTR", 1, 400)
        length = node.args.get("length")
        return Operand(text.str.slice(start - 1, None if length is None else _whole(length, "SUBSTR", 0, 400)), "text")
    return None


def _whole(node: exp.Expr | None, doing: str, least: int, most: int) -> int:
    """A literal whole number; 0 where there is none."""
    if node is None:
        return 0
    if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit() and least <= int(node.name) <= most:
        return int(node.name)
    raise RefusedExpression(f"{doing} takes whole numbers from {least} to {most} here.", fix="Write such a number.")
