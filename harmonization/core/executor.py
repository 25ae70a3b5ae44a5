"""Who applies a plan to the partitions of a report.

A plan goes to the rows: it is made anew, from a contract's text and what the caller knows, wherever it runs. The local
executor applies it to one partition after the other; another may send it to other machines, and needs nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from harmonization.core.binding import bind
from harmonization.core.contract import parse_contract
from harmonization.core.load_context import LoadContext
from harmonization.core.partition import BatchPlan, Judged
from harmonization.core.plan import Recipe, compile_recipe
from harmonization.core.row_batch import Rows


class Partition(Protocol):
    """Rows of one report, in the order of the file."""

    def batches(self) -> Iterator[Rows]:
        """Batches of `raw_n` (text), `source_row` (Int64) and `ragged` (text)."""
        ...


class Sink(Protocol):
    """Takes what became of the rows; called by one executor at a time."""

    def accept(self, judged: Judged) -> None: ...


@dataclass(frozen=True, slots=True)
class PartitionPlan:
    """A contract as it applies to a report with these headers. It can be sent anywhere: only the text travels."""

    contract_text: str
    headers: tuple[str, ...]
    context: LoadContext
    recipe: Recipe | None = field(default=None, compare=False, repr=False)

    def start(self) -> BatchPlan:
        """The plan, ready for the batches of one partition after the other."""
        if self.recipe is not None:
            return BatchPlan(self.recipe)
        binding = bind(parse_contract(self.contract_text), self.headers, self.context)
        return BatchPlan(compile_recipe(binding, self.context))

    def __reduce__(self) -> tuple[Any, ...]:
        return PartitionPlan, (self.contract_text, self.headers, self.context)


class Executor(Protocol):
    """Applies a plan to every batch of every partition and gives each result to the sink, once."""

    def map_partitions(self, plan: PartitionPlan, sources: Sequence[Partition], sink: Sink) -> None: ...


class LocalExecutor:
    """One partition after the other, in this process."""

    def map_partitions(self, plan: PartitionPlan, sources: Sequence[Partition], sink: Sink) -> None:
        started = plan.start()
        for source in sources:
            for rows in source.batches():
                sink.accept(started.apply(rows))
