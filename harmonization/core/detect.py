"""Which contract a file belongs to, and which of its rows holds the headers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harmonization.core.binding import HeadersDoNotFit, bind
from harmonization.core.contract import Contract
from harmonization.core.headers import match_alias
from harmonization.core.load_context import LoadContext
from harmonization.core.source_file import Head, UnreadableFile
from tenants.core.problems import InvalidInput

#: Contracts whose scores are closer than this cannot be told apart.
MARGIN: Final = 0.05


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

    `missing` lists required columns that are not there; a contract with any does not fit.
    """

    contract: Contract
    header_row: int
    score: float
    missing: tuple[str, ...]


def find_header_row(head: Head, contract: Contract) -> int:
    """The header row's number, from 1: the contract's, or the row of the head that most of its headers match.

    Raises:
        UnreadableFile: the file ends before the header row that the contract states.
    """
    stated = contract.source.header_row
    if stated != "auto":
        if stated > len(head.rows):
            raise UnreadableFile(
                f"The file has {len(head.rows)} rows; the contract's header row is {stated}.",
                where=f"row {stated}",
                fix="Set source.header_row to auto.",
            )
        return stated
    if not head.rows:
        raise UnreadableFile("The file has no rows.", where="row 1", fix="Export the report again.")
    hits = [_understood(contract, row) for row in head.rows]
    return hits.index(max(hits)) + 1


def rank_contracts(head: Head, contracts: Sequence[Contract]) -> list[Fit]:
    """Every contract's fit, the best first."""
    fits = []
    for contract in contracts:
        header_row = find_header_row(head, contract)
        headers = [header for header in head.rows[header_row - 1] if header.strip()]
        missing: tuple[str, ...] = ()
        try:
            bind(contract, headers, LoadContext())
        except HeadersDoNotFit as problem:
            missing = tuple(str(error["target"]) for error in problem.errors)
        score = _understood(contract, headers) / len(headers) if headers else 0.0
        fits.append(Fit(contract, header_row, round(score, 4), missing))
    return sorted(fits, key=lambda fit: (len(fit.missing) > 0, -fit.score, fit.contract.name))


def choose_contract(head: Head, contracts: Sequence[Contract]) -> Contract:
    """The one contract that fits.

    Raises:
        NoContractFits: with each contract's missing columns in `errors`.
        SeveralContractsFit: the best two score the same within `MARGIN`.
    """
    fits = rank_contracts(head, contracts)
    fitting = [fit for fit in fits if not fit.missing]
    if not fitting:
        seen = max(head.rows, key=lambda row: sum(bool(cell.strip()) for cell in row), default=())
        best = max(fits, key=lambda fit: fit.score, default=None)
        near = f" The nearest is {best.contract.name}; it misses {', '.join(best.missing)}." if best else ""
        raise NoContractFits(
            f"None of {len(fits)} contracts fits these columns.{near}",
            where=f"header row: {', '.join(cell.strip() for cell in seen if cell.strip())[:300]}",
            fix="Name a contract, or write one for this report.",
            errors=[
                {
                    "where": fit.contract.name,
                    "contract": fit.contract.name,
                    "score": fit.score,
                    "detail": f"misses {', '.join(fit.missing)}",
                }
                for fit in fits
            ],
        )
    if len(fitting) > 1 and fitting[0].score - fitting[1].score < MARGIN:
        names = [fit.contract.name for fit in fitting if fitting[0].score - fit.score < MARGIN]
        raise SeveralContractsFit(
            f"{' and '.join(names)} fit equally well.",
            where="header row",
            fix="Name the contract.",
            errors=[
                {"where": fit.contract.name, "contract": fit.contract.name, "score": fit.score, "detail": "fits"}
                for fit in fitting
            ],
        )
    return fitting[0].contract


def _understood(contract: Contract, headers: Sequence[str]) -> int:
    aliases = [alias for field in contract.fields for alias in field.headers]
    aliases += [alias for spec in contract.attributions for alias in spec.headers]
    return sum(any(match_alias(header, alias) for alias in aliases) for header in headers)
