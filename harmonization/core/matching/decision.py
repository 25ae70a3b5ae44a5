"""What one column was taken for."""

from __future__ import annotations

from dataclasses import dataclass

from harmonization.core.matching.arithmetic import Agreement
from harmonization.core.matching.column import Column
from harmonization.core.matching.meaning import Candidate, Meaning


@dataclass(slots=True)
class Decision:
    """What a column was taken for. `rival` is the position of the column that got the meaning it wanted."""

    column: Column
    chosen: Candidate
    rival: int | None = None
    agreement: Agreement | None = None

    @property
    def meaning(self) -> Meaning:
        return self.chosen.meaning
