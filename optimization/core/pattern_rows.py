"""The rows and columns of a pattern programme (see `optimization.core.patterns`), and HiGHS's answer to them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from optimization.core.responses import Floats

if TYPE_CHECKING:
    from optimization.core.patterns import PatternProgramme

#: Tolerances that HiGHS is given, of constraints and of reduced costs. No column reaches further than 1, and the
#: tangents of a cell together weigh no more than its revenue, so that they count once: the bound is widened by the sum.
#: Tighter ones are no safer: HiGHS then now and then takes a node for infeasible that is not.
TOLERANCE, OF_COSTS = 1e-7, 1e-9
#: Nodes of HiGHS's search tree: for a programme whose tangents may yet change, and for one whose tangents are tight.
FEW_NODES, MANY_NODES = 100, 1_000
#: Slopes, in shares of revenue per share of budget, beyond which a tangent is of no use to HiGHS.
STEEPEST = 1e5
#: HiGHS stops at this share of the gap that is left, or at `FINEST`.
SHARE_OF_GAP, FINEST = 0.02, 1e-7
#: And at this gap where any allocation will do.
COARSE = 0.1


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a cell's domain, money; `convex` where the curve lies below the chord."""

    low: float
    high: float
    convex: bool


@dataclass(frozen=True, eq=False)
class Pattern:
    """An answer of the programme.

    Attributes:
        lower, upper: the piece that each cell takes, money, shape (n,).
        spend: the allocation that the programme chose, money, shape (n,).
        promised: what the programme says that it earns, money.
    """

    lower: Floats
    upper: Floats
    spend: Floats
    promised: float


class Rows:
    """The programme as HiGHS takes it; money in shares of the budget, revenue in shares of `worth`."""

    def __init__(self, programme: PatternProgramme, *, of_limits: bool = False) -> None:
        """With `of_limits` not the revenue is maximised, but what is left of the limit that is nearest to break."""
        self.p = programme
        counted = 0.0 if of_limits else 1.0
        self.weights = programme.weights * counted
        #: What a share of the budget spent costs the objective, in shares of `worth`.
        self.charge = programme.limits.charge * counted * programme.money / programme.worth
        self.cost: list[float] = []
        self.top: list[float] = []
        self.whole: list[bool] = []
        self.row, self.column, self.factor = [0], list[int](), list[float]()
        self.low: list[float] = []
        self.high: list[float] = []
        n = len(programme.pieces)
        #: Spend and revenue of each cell beyond those at its lowest, as linear forms of the columns.
        self.spend: list[list[tuple[int, float]]] = [[] for _ in range(n)]
        self.revenue: list[list[tuple[int, float]]] = [[] for _ in range(n)]
        self.switches: list[list[int]] = [[] for _ in range(n)]
        lowest = np.array([pieces[0].low for pieces in programme.pieces])
        self.spend_from = lowest / programme.money
        self.revenue_from = programme.curves.value(lowest) / programme.worth
        self._read_curves()
        for i in range(n):
            self._add_cell(i)
        self.counted = False
        self._add_order()
        self._add_counts()
        self._add_nodes()
        self.constant = float(self.weights @ self.revenue_from) - self.charge * float(self.spend_from.sum())
        self.least = np.zeros(len(self.cost) + of_limits)
        self._add_limits(of_limits=of_limits and len(programme.limits) > 0)

    def _read_curves(self) -> None:
        """Value and slope of every curve wherever one is asked for."""
        points = [(i, x) for i, pieces in enumerate(self.p.pieces) for one in pieces for x in (one.low, one.high)]
        points += [(i, x) for i, touched in enumerate(self.p.touched) for x in touched]
        curves = self.p.curves.take(np.array([i for i, _ in points], dtype=np.intp))
        at = np.array([x for _, x in points])
        self.value = dict(zip(points, (curves.value(at) / self.p.worth).tolist(), strict=True))
        slope = curves.marginal(at) * (self.p.money / self.p.worth)
        self.slope = dict(zip(points, slope.tolist(), strict=True))

    def _add_column(self, cost: float, top: float, *, whole: bool = False) -> int:
        self.cost.append(cost)
        self.top.append(top)
        self.whole.append(whole)
        return len(self.cost) - 1

    def _add_row(self, terms: list[tuple[int, float]], low: float, high: float) -> None:
        self.column += [column for column, _ in terms]
        self.factor += [factor for _, factor in terms]
        self.row.append(len(self.column))
        self.low.append(low)
        self.high.append(high)

    def _add_cell(self, i: int) -> None:
        """A switch for each piece but the first, which the cell takes while all switches are off."""
        first, *others = self.p.pieces[i]
        for one in others:
            gain = self.value[i, one.low] - self.value[i, first.low]
            more = (one.low - first.low) / self.p.money
            switch = self._add_column(float(self.weights[i]) * gain - self.charge * more, 1.0, whole=True)
            self.switches[i].append(switch)
            self.spend[i].append((switch, more))
            self.revenue[i].append((switch, gain))
        if len(others) > 1:
            self._add_row([(switch, 1.0) for switch in self.switches[i]], -np.inf, 1.0)
        self._add_inside(i, first, [(switch, -1.0) for switch in self.switches[i]], 1.0)
        for one, switch in zip(others, self.switches[i], strict=True):
            self._add_inside(i, one, [(switch, 1.0)], 0.0)

    def _add_inside(self, i: int, piece: Piece, taken: list[tuple[int, float]], always: float) -> None:
        """Spend inside a piece and what it earns, both zero unless the piece is taken: `taken` + `always` is 1."""
        if not piece.high > piece.low:
            return
        weight, width = float(self.weights[i]), (piece.high - piece.low) / self.p.money
        base = self.value[i, piece.low]
        rise = self.value[i, piece.high] - base
        straight = piece.convex or bool(self.p.straight[i])
        inside = self._add_column((weight * rise / width if straight else 0.0) - self.charge, width)
        self.spend[i].append((inside, 1.0))
        if taken:
            self._add_row([(inside, 1.0), *((c, -width * f) for c, f in taken)], -np.inf, width * always)
        if straight:
            self.revenue[i].append((inside, rise / width))
            return
        earned = self._add_column(weight, max(rise, 0.0))
        self.revenue[i].append((earned, 1.0))
        touched = {piece.low, piece.high, *(x for x in self.p.touched[i] if piece.low <= x <= piece.high)}
        for x in sorted(touched):
            slope = self.slope[i, x]
            if not slope < STEEPEST:
                continue
            level = self.value[i, x] - base - slope * (x - piece.low) / self.p.money
            self._add_row(
                [(earned, 1.0), (inside, -slope), *((c, -level * f) for c, f in taken)], -np.inf, level * always
            )

    def _add_order(self) -> None:
        """Of cells that are alike none spends more than one with a larger cap: HiGHS need not try all their orders."""
        for group in self.p.alike:
            for larger, smaller in itertools.pairwise(group):
                terms = [(column, -factor) for column, factor in self.spend[larger]] + self.spend[smaller]
                self._add_row(terms, -np.inf, float(self.spend_from[larger] - self.spend_from[smaller]))
                # Of two domains with the same first piece, the smaller cap is not on while the larger is off.
                first = [self.p.pieces[i][0] for i in (larger, smaller)]
                if first[0] == first[1] and self.switches[smaller]:
                    on = [(column, -1.0) for column in self.switches[larger]]
                    self._add_row(on + [(column, 1.0) for column in self.switches[smaller]], -np.inf, 0.0)

    def _add_counts(self) -> None:
        """How many cells of a kind are on, as a column to branch on: to branch on each of them would change little."""
        for group in self.p.of_a_kind:
            on = [self.switches[i][-1] for i in group if self.switches[i]]
            if len(on) > 2:
                count = self._add_column(0.0, float(len(on)), whole=True)
                self._add_row([(count, -1.0), *((switch, 1.0) for switch in on)], 0.0, 0.0)
                self.counted = True

    def _add_nodes(self) -> None:
        tree, money = self.p.tree, self.p.money
        for node in range(tree.nodes):
            under = np.flatnonzero(tree.under(node))
            fixed = float(self.spend_from[under].sum())
            terms = [term for i in under for term in self.spend[i]]
            low = tree.lower[node] / money - fixed if tree.lower[node] > 0.0 else -np.inf
            high = tree.upper[node] / money - fixed
            # What rounding leaves between bounds that meet is no contradiction.
            self._add_row(terms, min(low, high), max(high, min(0.0, high + TOLERANCE)))

    def _add_limits(self, *, of_limits: bool) -> None:
        limits, p = self.p.limits, self.p
        left: list[tuple[int, float]] = []
        if of_limits:
            left = [(self._add_column(1.0, 1.0), -1.0)]
            self.least[-1] = -STEEPEST
        for gain, cost in zip(limits.gain, limits.cost, strict=True):
            size = max(float(gain.max()) * p.worth, float(cost.max()) * p.money, 1e-300)
            g, c = gain * (p.worth / size), cost * (p.money / size)
            terms: dict[int, float] = {}
            for i in np.flatnonzero((g != 0.0) | (c != 0.0)):
                for column, factor in self.revenue[i]:
                    terms[column] = terms.get(column, 0.0) + float(g[i]) * factor
                for column, factor in self.spend[i]:
                    terms[column] = terms.get(column, 0.0) - float(c[i]) * factor
            self._add_row(list(terms.items()) + left, float(c @ self.spend_from - g @ self.revenue_from), np.inf)

    def answer(self, finest: float, nodes: int, seed: int, *, presolved: bool = True) -> tuple[Pattern | None, float]:
        """As `PatternProgramme.solve`; `presolved` False lets HiGHS see the programme as it is."""
        # Only problems with jumps pay for the import.
        import highspy

        columns, rows = len(self.cost), len(self.low)
        shape = (rows, columns)
        matrix = sparse.csr_matrix((self.factor, self.column, self.row), shape=shape).tocsc()
        programme = highspy.HighsLp()
        programme.num_col_, programme.num_row_ = columns, rows
        programme.sense_ = highspy.ObjSense.kMaximize
        programme.col_cost_ = np.array(self.cost)
        programme.col_lower_, programme.col_upper_ = self.least[:columns], np.array(self.top)
        programme.row_lower_, programme.row_upper_ = np.array(self.low), np.array(self.high)
        programme.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        programme.a_matrix_.start_ = matrix.indptr
        programme.a_matrix_.index_ = matrix.indices
        programme.a_matrix_.value_ = matrix.data
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        programme.integrality_ = [kinds[whole] for whole in self.whole]
        make: Any = highspy.Highs  # without types of its own
        solver = make()
        for name, value in _options(finest, nodes, seed).items():
            solver.setOptionValue(name, value)
        if self.counted or not presolved:
            # Presolving would put the counts back into the switches.
            solver.setOptionValue("presolve", "off")
        solver.passModel(programme)
        solver.run()
        info, status = solver.getInfo(), solver.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            return None, -np.inf
        bound = np.inf
        if status == highspy.HighsModelStatus.kOptimal:
            best = float(info.mip_dual_bound if any(self.whole) else info.objective_function_value)
            bound = (best + self.constant + self.p.margin) * self.p.worth
        if info.primal_solution_status != int(highspy.SolutionStatus.kSolutionStatusFeasible):
            return None, bound
        promised = float(info.objective_function_value) + self.constant
        return self._pattern(np.array(solver.getSolution().col_value), promised), bound

    def _pattern(self, values: Floats, promised: float) -> Pattern:
        lower, upper, spend = (np.empty(len(self.p.pieces)) for _ in range(3))
        for i, pieces in enumerate(self.p.pieces):
            on = [number for number, switch in enumerate(self.switches[i], 1) if values[switch] > 0.5]
            taken = pieces[on[0] if on else 0]
            lower[i], upper[i] = taken.low, taken.high
            inside = self.spend_from[i] + sum(factor * values[column] for column, factor in self.spend[i])
            spend[i] = min(max(inside * self.p.money, taken.low), taken.high)
        return Pattern(lower, upper, spend, promised * self.p.worth)


def _options(finest: float, nodes: int, seed: int) -> dict[str, Any]:
    return {
        "output_flag": False,
        "threads": 1,
        "random_seed": seed,
        "mip_rel_gap": finest,
        "mip_abs_gap": 0.0,
        # Allocations come from the prices: HiGHS need not look for any, nor begin anew after its root.
        "mip_allow_restart": False,
        "mip_heuristic_effort": 0.0,
        "mip_heuristic_run_feasibility_jump": False,
        "mip_heuristic_run_rins": False,
        "mip_heuristic_run_rens": False,
        "mip_heuristic_run_root_reduced_cost": False,
        "mip_max_nodes": nodes,
        "mip_feasibility_tolerance": TOLERANCE,
        "primal_feasibility_tolerance": TOLERANCE,
        "dual_feasibility_tolerance": OF_COSTS,
    }
