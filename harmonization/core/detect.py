"""Which contract a file belongs to, and which of its rows holds the headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from harmonization.core.binding import HeadersDoNotFit, bind
from harmonization.core.contract import Contract
from harmonization.core.headers import DAYS, compact, split_unit
from harmonization.core.load_context import LoadContext
from harmonization.core.source_file import Head, UnreadableFile
from tenants.core.problems import InvalidInput

#: Contracts whose scores are closer than this cannot be told apart by their scores.
MARGIN: Final = 0.05
#: A contract that understands less of the named headers is of another report, even where its required ones are there.
LEAST_SCORE: Final = 0.3


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

    `missing` lists required columns that are not there; a contract with any does not fit. `understood` holds the
    headers behind the score.
    """

    contract: Contract
    header_row: int
    score: float
    missing: tuple[str, ...]
    understood: frozenset[str] = frozenset()


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
    hits = [len(_understood(contract, row)) for row in head.rows]
    return hits.index(max(hits)) + 1


def rank_contracts(head: Head, contracts: Sequence[Contract]) -> list[Fit]:
    """Every contract's fit, the best first."""
    fits = []
    for contract in contracts:
        header_row = find_header_row(head, contract)
        headers = [header for header in head.rows[header_row - 1] if header.strip()]
        wanted = {field.target: field.headers for field in contract.fields if field.required}
        wanted |= {spec.id: spec.headers for spec in contract.attributions if spec.required}
        missing = tuple(name for name, aliases in wanted.items() if not any(map(_known(tuple(aliases)), headers)))
        if not missing:
            # Nothing is missing, but two headers may fit one column: only binding tells.
            try:
                bind(contract, headers, LoadContext())
            except HeadersDoNotFit as problem:
                missing = tuple(str(error["target"]) for error in problem.errors)
        understood = _understood(contract, headers)
        score = len(understood) / len(headers) if headers else 0.0
        fits.append(Fit(contract, header_row, round(score, 4), missing, frozenset(understood)))
    return sorted(fits, key=lambda fit: (len(fit.missing) > 0, -fit.score, fit.contract.name))


def choose_contract(head: Head, contracts: Sequence[Contract]) -> Contract:
    """The one contract that fits.

    Raises:
        NoContractFits: with each contract's missing columns in `errors`.
        SeveralContractsFit: the best two score the same within `MARGIN`.
    """
    fits = rank_contracts(head, contracts)
    fitting = [fit for fit in fits if not fit.missing and fit.score >= LEAST_SCORE]
    if not fitting:
        seen = max(head.rows, key=lambda row: sum(bool(cell.strip()) for cell in row), default=())
        best = max(fits, key=lambda fit: fit.score, default=None)
        near = f" The nearest is {best.contract.name}; it {_lack(best)}." if best else ""
        raise NoContractFits(
            f"None of {len(fits)} contracts fits these columns.{near}",
            where=f"header row: {', '.join(cell.strip() for cell in seen if cell.strip())[:300]}",
            fix="Name a contract, or write one for this report.",
            errors=[
                {
                    "where": fit.contract.name,
                    "contract": fit.contract.name,
                    "score": fit.score,
                    "detail": _lack(fit),
                }
                for fit in fits
            ],
        )
    fitting = _undecided(fitting)
    if len(fitting) > 1:
        names = [fit.contract.name for fit in fitting]
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


def _lack(fit: Fit) -> str:
    return f"misses {', '.join(fit.missing)}" if fit.missing else f"knows only {len(fit.understood)} of the columns"


def _undecided(fits: Sequence[Fit]) -> list[Fit]:
    """The fits that score as well as the best, without those that understand only a part of what the best does: a
    report with search terms is not the one without, though they differ in one column of many."""
    best = fits[0]
    return [
        best,
        *(fit for fit in fits[1:] if best.score - fit.score < MARGIN and not fit.understood < best.understood),
    ]


def _understood(contract: Contract, headers: Sequence[str]) -> list[str]:
    aliases = [alias for field in contract.fields for alias in field.headers]
    aliases += [alias for spec in contract.attributions for alias in spec.headers]
    return list(filter(_known(tuple(aliases)), headers))


@lru_cache(maxsize=4096)
def _known(aliases: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a header is one of many aliases: `match_alias` of each, looked up. Every contract is asked about every
    row of a file's head."""
    plain = {form for alias in aliases if DAYS not in alias for form in _forms(alias)}
    windows = "|".join(
        "(?:" + r"\d{1,2}".join(re.escape(compact(part)) for part in form.split(DAYS)) + ")"
        for alias in aliases
        if DAYS in alias
        for form in (alias, split_unit(alias)[0])
    )
    pattern = re.compile(windows or r"(?!)")
    return lambda header: any(form and (form in plain or pattern.fullmatch(form)) for form in _forms(header))


@lru_cache(maxsize=65536)
def _forms(header: str) -> tuple[str, str]:
    return compact(header), compact(split_unit(header)[0])
