"""Shares, ratios and fair parts as linear constraints on spend.

max_share v:  spend(scope) <= v spend(within)        min_share v:  the other way round
max_ratio v:  spend(scope) <= v spend(other)         min_ratio v:  the other way round
min_part v:   spend(node)  >= v part spend(within),  part = equal, or as of today
linear:       sum of coef spend(scope) <= rhs
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optimization.core.parts import Cell, InvalidProblem, LinearConstraint, Path, Term, path_text


def share_of(scope: Path, within: Path, value: float, *, least: bool = False, name: str = "") -> LinearConstraint:
    """At most (or at least) a share of one node's spend goes to another."""
    word = "at least" if least else "at most"
    name = name or f"{path_text(scope)} {word} {value:.6g} of {path_text(within)}"
    return _pair("share", scope, within, value, least, name)


def ratio_of(scope: Path, other: Path, value: float, *, least: bool = False, name: str = "") -> LinearConstraint:
    """The spend of one node is at most (or at least) a multiple of that of another."""
    word = "at least" if least else "at most"
    name = name or f"{path_text(scope)} {word} {value:.6g} times {path_text(other)}"
    return _pair("ratio", scope, other, value, least, name)


def fair_parts(
    cells: Sequence[Cell],
    depth: int,
    within: Path,
    value: float,
    current: Mapping[str, float] | None = None,
    *,
    name: str = "",
) -> list[LinearConstraint]:
    """Every node `depth` levels down gets at least `value` of its part of the spend under `within`.

    Its part is as large as that of each other node, or as of the current spend. Nodes whose every cell is out of stock
    have no part.

    Args:
        current: money by cell id; None for equal parts.
        name: what people call it; each node's own constraint has the node's path behind it.

    Raises:
        InvalidProblem: no node is that far down, or nothing under `within` is spent now.
    """
    above = len(within)
    nodes = sorted({cell.path[:depth] for cell in cells if cell.path[:above] == within and not cell.out_of_stock})
    if depth <= above or not nodes:
        raise InvalidProblem(
            f"No node of that level with stock lies under {path_text(within)}.",
            where="constraints",
            fix="Choose a level below `within`.",
        )
    parts = {node: 1.0 / len(nodes) for node in nodes}
    if current is not None:
        now = dict.fromkeys(nodes, 0.0)
        for cell in cells:
            if cell.path[:depth] in now:
                now[cell.path[:depth]] += current.get(cell.id, 0.0)
        total = sum(now.values())
        if total <= 0.0:
            raise InvalidProblem(
                f"Nothing is spent now under {path_text(within)}, so nobody has a part of it.",
                where="constraints",
                fix="Use equal parts.",
            )
        parts = {node: spend / total for node, spend in now.items()}
    return [
        fair_part(node, within, value, part, name=f"{name}: {path_text(node)}" if name else "")
        for node, part in parts.items()
        if part > 0.0
    ]


def fair_part(node: Path, within: Path, value: float, part: float, *, name: str = "") -> LinearConstraint:
    """A node gets at least `value` times its part of the spend under `within`."""
    name = name or f"{path_text(node)} at least {value:.6g} of its part of {path_text(within)}"
    return LinearConstraint(name, "min_part", value, (Term(within, part, times_value=True), Term(node, -1.0)))


def at_most(terms: Sequence[tuple[Path, float]], rhs: float, *, name: str) -> LinearConstraint:
    """Sum of coef x spend(scope) <= rhs."""
    return LinearConstraint(name, "linear", rhs, tuple(Term(scope, coef) for scope, coef in terms), rhs=None)


def spend_between(path: Path, low: float | None, high: float | None, name: str) -> list[LinearConstraint]:
    """Bounds on a node whose cells are not one subtree, as over several periods."""
    found = []
    if high is not None:
        found.append(LinearConstraint(f"{name} at most", "max_spend", high, (Term(path, 1.0),), rhs=None))
    if low is not None and low > 0.0:
        found.append(LinearConstraint(f"{name} at least", "min_spend", low, (Term(path, -1.0),), rhs=None))
    return found


def _pair(kind: str, scope: Path, base: Path, value: float, least: bool, name: str) -> LinearConstraint:
    sign = -1.0 if least else 1.0
    terms = (Term(scope, sign), Term(base, -sign, times_value=True))
    return LinearConstraint(name, f"{'min' if least else 'max'}_{kind}", value, terms)
