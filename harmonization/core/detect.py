"""Which contract a file belongs to, which of its tables that is, and which row of it holds the headers.

A contract fits when it reads the file's format and every column that it requires is there. Of several that fit, the one
that understands most of the file's headers is taken: one that understands all that another does, and more, is better
however small the difference; of two that understand the same, the one that spells the headers as the file does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import polars as pl

from harmonization.core.binding import HeadersDoNotFit, bind
from harmonization.core.contract import AttributionSpec, Contract, FieldSpec
from harmonization.core.headers import compact, split_unit
from harmonization.core.load_context import LoadContext
from harmonization.core.source_file import Head, OpenedFile, UnreadableFile
from tenants.core.problems import InvalidInput

#: Contracts whose scores are closer than this cannot be told apart by their scores.
MARGIN: Final = 0.05
#: A contract that understands less of the named headers is of another report, even where its required ones are there.
LEAST_SCORE: Final = 0.3
_PLACE = re.compile(r"\{\w+\}")


class NoContractFits(InvalidInput):
    """No contract knows the file's required columns."""

    code = "no-contract-fits"
    title = "No mapping contract fits this file"


class SeveralContractsFit(InvalidInput):
    """Two or more contracts fit the headers equally well."""

    code = "several-contracts-fit"
    title = "Several mapping contracts fit this file"


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a contract fits: `score` is the share of the file's named headers that it understands.

    `missing` lists required columns that are not there; a contract with any does not fit, nor does one that does not
    read the file's format. `understood` are the headers' positions, `exact` how many are spelled as in the contract,
    `found` the share of the contract's columns that the file has, `named` whether it is called as the contract says.
    """

    contract: Contract
    header_row: int
    score: float
    missing: tuple[str, ...]
    reads_format: bool = True
    understood: frozenset[int] = frozenset()
    exact: int = 0
    found: float = 0.0
    named: bool = False

    @property
    def fits(self) -> bool:
        return self.reads_format and not self.missing and self.score >= LEAST_SCORE

    def beats(self, other: Fit) -> bool:
        """Whether this fit is better than `other` for a reason that can be told."""
        if self.score - other.score >= MARGIN or self.understood > other.understood:
            return True
        if self.understood != other.understood:
            return False
        if self.named != other.named:
            return self.named
        return self.exact > other.exact or (self.exact == other.exact and self.found - other.found >= MARGIN)


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """The headers that a list of aliases stands for, as `headers.match_alias` compares them, but looked up."""

    whole: frozenset[str]
    bare: frozenset[str]
    whole_windows: re.Pattern[str] | None
    bare_windows: re.Pattern[str] | None

    def knows(self, header: str) -> bool:
        whole, bare = _forms(header)
        if not whole:
            return False
        return (
            whole in self.whole
            or bare in self.bare
            or bool(self.whole_windows and self.whole_windows.fullmatch(whole))
            or bool(self.bare_windows and self.bare_windows.fullmatch(bare))
        )


@lru_cache(maxsize=65_536)
def _forms(header: str) -> tuple[str, str]:
    return compact(header), compact(split_unit(header)[0])


@lru_cache(maxsize=4096)
def _vocabulary(aliases: tuple[str, ...]) -> _Vocabulary:
    plain = [alias for alias in aliases if not _PLACE.search(alias)]
    windows = [alias for alias in aliases if _PLACE.search(alias)]
    return _Vocabulary(
        whole=frozenset(compact(alias) for alias in plain),
        bare=frozenset(compact(split_unit(alias)[0]) for alias in plain) - {""},
        whole_windows=_windows(windows),
        bare_windows=_windows(split_unit(alias)[0] for alias in windows),
    )


def _windows(aliases: Iterable[str]) -> re.Pattern[str] | None:
    forms = [r"\d{1,2}".join(re.escape(compact(part)) for part in _PLACE.split(alias)) for alias in aliases]
    return re.compile("|".join(forms)) if forms else None


def find_header_row(head: Head, contract: Contract) -> int:
    """The header row's number, from 1: the contract's, or the row of the head that most of its headers match.

    Of two header rows it is the upper one.

    Raises:
        UnreadableFile: the file ends before the header row that the contract states.
    """
    if not head.rows:
        raise UnreadableFile("The file has no rows.", where="row 1", fix="Export the report again.")
    if head.names_its_columns:
        return 1
    stated = contract.source.header_row
    if stated != "auto":
        if stated > len(head.rows):
            raise UnreadableFile(
                f"The file has {len(head.rows)} rows; the contract's header row is {stated}.",
                where=f"row {stated}",
                fix="Set source.header_row to auto.",
            )
        return stated
    vocabulary = _all_aliases(contract)
    rows = range(1, len(head.rows) + 1)
    hits = [sum(map(vocabulary.knows, headers_at(head, number, contract))) for number in rows]
    return hits.index(max(hits)) + 1


def header_span(head: Head, contract: Contract) -> int:
    """How many rows the headers take: two where the contract says so and the format does not name its columns."""
    return 1 if head.names_its_columns else contract.source.header_rows


def headers_at(head: Head, header_row: int, contract: Contract) -> tuple[str, ...]:
    """The headers whose upper or only row is `header_row`.

    Of two rows each lower cell is joined to the upper one; an upper cell stands over the empty ones at its right, as
    merged cells are exported.
    """
    upper = head.rows[header_row - 1]
    if header_span(head, contract) == 1 or header_row == len(head.rows):
        return upper
    return join_headers(upper, head.rows[header_row])


def join_headers(upper: Sequence[str], lower: Sequence[str]) -> tuple[str, ...]:
    """Two rows of headers as one: see `headers_at`."""
    joined, group = [], ""
    for position in range(max(len(upper), len(lower))):
        above = upper[position].strip() if position < len(upper) else ""
        group = above or group
        below = lower[position].strip() if position < len(lower) else ""
        joined.append(f"{group} {below}".strip() if below else above)
    return tuple(joined)


def rank_contracts(head: Head, contracts: Sequence[Contract]) -> list[Fit]:
    """Every contract's fit, the best first."""
    fits = [_fit(head, contract) for contract in contracts]
    return sorted(fits, key=lambda fit: (not fit.fits, -fit.score, -fit.exact, -fit.found, fit.contract.name))


def choose_contract(head: Head, contracts: Sequence[Contract], file_name: str = "") -> Contract:
    """The one contract that fits; the file's name only decides between contracts that understand the same headers.

    Raises:
        NoContractFits: with each contract's missing columns in `errors`.
        SeveralContractsFit: none of those that fit is better than all others for a reason that can be told.
    """
    fits = [replace(fit, named=_is_named(fit.contract, file_name)) for fit in rank_contracts(head, contracts)]
    fitting = [fit for fit in fits if fit.fits]
    if not fitting:
        raise _none_fits(head, fits)
    best = next((fit for fit in fitting if all(fit.beats(other) for other in fitting if other is not fit)), None)
    if best is not None:
        return best.contract
    equal = [fit for fit in fitting if not any(other.beats(fit) for other in fitting if other is not fit)]
    names = [fit.contract.name for fit in equal or fitting]
    raise SeveralContractsFit(
        f"{', '.join(names[:-1])} and {names[-1]} fit equally well.",
        where="header row",
        fix="Name the contract.",
        errors=[
            {"where": fit.contract.name, "contract": fit.contract.name, "score": fit.score, "detail": "fits"}
            for fit in fitting
        ],
    )


def _is_named(contract: Contract, file_name: str) -> bool:
    # Anyone may have written the pattern: the engine's own expressions match in linear time.
    name = pl.Series([file_name])
    return any(name.str.contains(pattern).item() for pattern in contract.source.file_names)


def choose_table(opened: OpenedFile, contracts: Sequence[Contract]) -> OpenedFile:
    """The table of a file with several that one of the contracts fits best; the first where none fits any."""
    tables = (opened, *opened.others)
    if len(tables) == 1 or not contracts:
        return opened
    best = [rank_contracts(table.head, contracts)[0] for table in tables]
    order = sorted(range(len(tables)), key=lambda number: (not best[number].fits, -best[number].score, number))
    return tables[order[0]]


def _fit(head: Head, contract: Contract) -> Fit:
    header_row = find_header_row(head, contract)
    headers = headers_at(head, header_row, contract)
    named = [position for position, header in enumerate(headers) if header.strip()]
    vocabulary = _all_aliases(contract)
    understood = frozenset(position for position in named if vocabulary.knows(headers[position]))
    specs = _specs(contract)
    spelled = {alias for spec in specs for alias in spec.headers}
    having = [any(map(_vocabulary(tuple(spec.headers)).knows, headers)) for spec in specs]
    missing = tuple(
        spec.target if isinstance(spec, FieldSpec) else spec.id
        for spec, there in zip(specs, having, strict=True)
        if spec.required and not there
    )
    if not missing:
        # Nothing is missing, but two headers may fit one column: only binding tells.
        try:
            bind(contract, [header for header in headers if header.strip()], LoadContext())
        except HeadersDoNotFit as problem:
            missing = tuple(str(error["target"]) for error in problem.errors)
    return Fit(
        contract=contract,
        header_row=header_row,
        score=round(len(understood) / len(named), 4) if named else 0.0,
        missing=missing,
        reads_format=head.kind in contract.source.formats,
        understood=understood,
        exact=sum(headers[position] in spelled for position in understood),
        found=round(sum(having) / len(specs), 4),
    )


def _none_fits(head: Head, fits: Sequence[Fit]) -> NoContractFits:
    seen = max(head.rows, key=lambda row: sum(bool(cell.strip()) for cell in row), default=())
    best = max(fits, key=lambda fit: fit.score, default=None)
    near = f" The nearest is {best.contract.name}; it {_lack(best, head)}." if best and best.score else ""
    return NoContractFits(
        f"None of {len(fits)} contracts fits these columns.{near}",
        where=f"header row: {', '.join(cell.strip() for cell in seen if cell.strip())[:300]}",
        fix="Name a contract, or write one for this report.",
        errors=[
            {
                "where": fit.contract.name,
                "contract": fit.contract.name,
                "score": fit.score,
                "detail": _lack(fit, head),
            }
            for fit in sorted(fits, key=lambda fit: -fit.score)
        ],
    )


def _lack(fit: Fit, head: Head) -> str:
    if fit.missing:
        return f"misses {', '.join(fit.missing)}"
    if not fit.reads_format:
        return f"reads {' and '.join(fit.contract.source.formats)}, not {head.kind}"
    return f"knows only {len(fit.understood)} of the columns"


def _all_aliases(contract: Contract) -> _Vocabulary:
    return _vocabulary(tuple(alias for spec in _specs(contract) for alias in spec.headers))


def _specs(contract: Contract) -> list[FieldSpec | AttributionSpec]:
    return [*contract.fields, *contract.attributions]
