"""What `manage.py optimize` does: a file in, the text of an answer out, without database or server."""

from __future__ import annotations

import json

from optimization.core.instance import parse_problem, parse_text, read_current
from optimization.core.period_solution import PeriodSolution
from optimization.core.problem import Aim, path_text
from optimization.core.reasons import Line
from optimization.core.solve import Solution, solve_budget
from tenants.core.problems import Problem


def answer_file(text: str | bytes, *, as_json: bool) -> str:
    """Solve the problem in the text of a file.

    Returns:
        One JSON object, or a table for people.

    Raises:
        InvalidProblem: the file is not a valid problem.
    """
    document = parse_text(text)
    problem = parse_problem(document)
    solution = solve_budget(problem, current=read_current(document))
    return json.dumps(solution.as_dict(), allow_nan=False) if as_json else solution_table(solution)


def problem_text(problem: Problem) -> str:
    """An error as one JSON object."""
    return json.dumps(problem.as_dict())


def solution_table(solution: Solution) -> str:
    """The answer as aligned text."""
    name = solution.problem.name or f"{len(solution.problem.cells)} cells"
    if solution.conflict is not None:
        return "\n".join([f"{name}: infeasible ({solution.engine})", *_conflict_lines(solution)])
    if solution.certificate is None:
        raise AssertionError("an optimal solution carries its certificate")
    proof = solution.certificate
    head = [
        f"{name}: optimal within {max(proof.gap, 0.0):.1e} ({solution.engine}, {solution.seconds:.3f} s)",
        f"{_goal(solution)} {proof.objective:,.2f}, no allocation earns more than {proof.dual_bound:,.2f}",
        _spent(solution),
    ]
    if solution.unspent is not None:
        head.append(f"{solution.unspent[0]:,.2f} stay unspent: {solution.unspent[1]}")
    if isinstance(solution, PeriodSolution):
        head += [
            f"period {row['period']}: {row['rolled_in']:,.2f} rolled in, budget {row['budget']:,.2f}, "
            f"spend {row['spend']:,.2f}, {row['rolled_on']:,.2f} roll on"
            for row in solution.periods
        ]
    rows = [("cell", "now", "proposed", "marginal", "why not more"), *(_row(line) for line in solution.lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    body = [
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}  {row[4]}"
        for row in rows
    ]
    return "\n".join([*head, "", *body])


def _goal(solution: Solution) -> str:
    """What was maximised, in words."""
    problem = solution.problem
    words = {Aim.REVENUE: "revenue", Aim.INCREMENTAL: "incremental revenue", Aim.PROFIT: "profit"}[problem.aim]
    if problem.tail is not None:
        words += " of the worst scenarios"
    return words if problem.hurdle == 0.0 else f"{words} above {problem.hurdle:g} a unit of spend"


def _spent(solution: Solution) -> str:
    if solution.problem.open_budget:
        return f"spend {solution.total_spend:,.2f}, without a budget"
    return (
        f"spend {solution.total_spend:,.2f} of {solution.problem.available:,.2f}, "
        f"one more unit of budget earns {solution.budget_shadow_price:.4g}"
    )


def _row(line: Line) -> tuple[str, str, str, str, str]:
    now = "" if line.now is None else f"{line.now:,.2f}"
    return line.cell, now, f"{line.proposed:,.2f}", f"{line.marginal_proposed:.4g}", line.reason.text


def _conflict_lines(solution: Solution) -> list[str]:
    conflict = solution.conflict
    if conflict is None:
        return []
    lines = []
    if conflict.shortfall is not None:
        lines.append(f"the constraints below miss each other by {conflict.shortfall:,.2f}")
    if conflict.best_attainable is not None:
        word = "nothing is better than" if conflict.best_is_bound else "best attainable:"
        lines.append(f"{word} {conflict.best_attainable:,.6g}")
    for member in conflict.members:
        place = f"cell {member.cell}" if member.cell else path_text(member.path)
        if member.name is not None:
            place = f"{place} ({member.name})"
        if member.period:
            place += f" {'through' if member.cumulative else 'in'} period {member.period}"
        move = "no change of this one alone suffices" if member.needed is None else f"relax to {member.needed:,.6g}"
        lines.append(f"  {member.kind} {member.value:,.6g} on {place}: {move}")
    return lines
