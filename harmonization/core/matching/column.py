"""A column of the file with all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from harmonization.core.matching.evidence import Profile
from harmonization.core.matching.meaning import Candidate
from harmonization.core.matching.reading import Reading
from harmonization.core.matching.words import HeaderWords


@dataclass(slots=True)
class Column:
    """`candidates` are in descending order of score."""

    position: int
    words: HeaderWords
    profile: Profile
    reading: Reading
    candidates: list[Candidate] = field(default_factory=list)

    @property
    def best(self) -> Candidate | None:
        return self.candidates[0] if self.candidates else None
