"""The tree of a budget: the total, and below it only the nodes that carry a bound.

Paths are prefixes of each other or disjoint, so bounds form a laminar family. A node without bounds constrains
nothing and is left out: each cell hangs under its deepest bounded ancestor, each bounded node under the next one up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from optimization.core.problem import BudgetProblem, Path
from optimization.core.responses import Floats

Ints = NDArray[np.intp]


def total_by(group: Ints, values: Floats, groups: int) -> Floats:
    """Sum of the values of each group, shape (groups,)."""
    return np.asarray(np.bincount(group, values, minlength=groups), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Tree:
    """m nodes in order of depth (node 0 is the total) over n cells.

    Attributes:
        paths: path of each node.
        parent: index of the parent, -1 for the total, shape (m,).
        lower, upper: bounds of each node, money, shape (m,); 0 and infinity for none.
        owner: node of each cell, shape (n,).
        offsets: nodes of depth d are offsets[d]:offsets[d+1].
    """

    paths: tuple[Path, ...]
    parent: Ints
    lower: Floats
    upper: Floats
    owner: Ints
    offsets: tuple[int, ...]

    @classmethod
    def of(cls, problem: BudgetProblem) -> Tree:
        """The tree of a problem; the available budget is the upper bound of the total."""
        bounds: dict[Path, tuple[float, float]] = {(): (0.0, problem.available)}
        for bound in problem.node_bounds:
            low = 0.0 if bound.min_spend is None else bound.min_spend
            high = math.inf if bound.max_spend is None else bound.max_spend
            if bound.path == ():
                high = min(high, problem.available)
            if low > 0.0 or high < math.inf:
                bounds[bound.path] = (low, high)
        depth: dict[Path, int] = {(): 0}
        above: dict[Path, Path] = {}
        for path in sorted(bounds, key=len):
            if path:
                above[path] = next(path[:d] for d in range(len(path) - 1, -1, -1) if path[:d] in bounds)
                depth[path] = depth[above[path]] + 1
        paths = tuple(sorted(bounds, key=lambda path: (depth[path], path)))
        index = {path: number for number, path in enumerate(paths)}
        owner = _owners(problem, index)
        depths = np.array([depth[path] for path in paths])
        return cls(
            paths,
            np.array([-1] + [index[above[path]] for path in paths[1:]], dtype=np.intp),
            np.array([bounds[path][0] for path in paths]),
            np.array([bounds[path][1] for path in paths]),
            owner,
            tuple(int(np.searchsorted(depths, d)) for d in range(int(depths[-1]) + 2)),
        )

    @property
    def nodes(self) -> int:
        return len(self.paths)

    @property
    def depths(self) -> int:
        return len(self.offsets) - 1

    def at_depth(self, depth: int) -> slice:
        """The nodes of one depth."""
        return slice(self.offsets[depth], self.offsets[depth + 1])

    @cached_property
    def ancestors(self) -> Ints:
        """Ancestor (or self) of each node at each depth, -1 below its own depth; shape (depths, m)."""
        out = np.full((self.depths, self.nodes), -1, dtype=np.intp)
        for depth in range(self.depths):
            here = self.at_depth(depth)
            if depth:
                out[:, here] = out[:, self.parent[here]]
            out[depth, here] = np.arange(here.start, here.stop)
        return out

    def under(self, node: int) -> NDArray[np.bool_]:
        """True for the cells below `node`, shape (n,)."""
        depth = int(np.searchsorted(self.offsets, node, side="right")) - 1
        return np.asarray(self.ancestors[depth][self.owner] == node)

    def gather(self, values: Floats) -> Floats:
        """What the cells directly under each node add up to, shape (m,)."""
        return total_by(self.owner, values, self.nodes)

    def sums(self, spend: Floats) -> Floats:
        """Spend under each node, shape (m,)."""
        return self.fold(self.gather(spend), clip=False)

    def fold(self, own: Floats, *, clip: bool = True, top: int = 0) -> Floats:
        """Add children to parents from the bottom up to depth `top`, each clipped to its bounds on the way.

        Args:
            own: what the cells directly under each node add, shape (m,); changed in place.

        Returns:
            The sum under each node before its own bounds, shape (m,).
        """
        for depth in range(self.depths - 1, top, -1):
            here, over = self.at_depth(depth), self.at_depth(depth - 1)
            given = np.clip(own[here], self.lower[here], self.upper[here]) if clip else own[here]
            own[over] += np.bincount(self.parent[here] - over.start, given, minlength=over.stop - over.start)
        return own


def _owners(problem: BudgetProblem, index: dict[Path, int]) -> Ints:
    """Deepest bounded ancestor of each cell; cells that share a prefix are looked up once."""
    longest = max(len(path) for path in index)
    known: dict[Path, int] = {}
    owner = np.empty(len(problem.cells), dtype=np.intp)
    for number, path in enumerate(problem.paths):
        prefix = path[:longest]
        node = known.get(prefix)
        if node is None:
            node = known[prefix] = next(index[prefix[:d]] for d in range(len(prefix), -1, -1) if prefix[:d] in index)
        owner[number] = node
    return owner
