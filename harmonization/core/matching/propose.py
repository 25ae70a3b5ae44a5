"""Proposing a contract for a file: open it, find its headers, match them, draft the contract."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from harmonization.core.contract import Contract, parse_contract
from harmonization.core.matching.candidates import SAME_NETWORK
from harmonization.core.matching.columns import Matched, match_columns
from harmonization.core.matching.draft import Draft, Facts, draft, slug
from harmonization.core.matching.embedder import Embedder
from harmonization.core.matching.hidden_window import find_hidden_window
from harmonization.core.matching.knowledge import NETWORKS, learn
from harmonization.core.matching.proposal import Proposal
from harmonization.core.matching.reranker import Reranker
from harmonization.core.matching.table import Table, find_table
from harmonization.core.matching.units import decimal_sign, find_currency, grain
from harmonization.core.reading import open_source
from harmonization.core.source_file import Head, Limits, OpenedFile

NEW_NETWORK: Final = "new_network"


def propose(
    source: Path | OpenedFile,
    contracts: Iterable[Contract],
    *,
    without: Collection[str] = (),
    reranker: Reranker | None = None,
    embedder: Embedder | None = None,
    name: str | None = None,
    limits: Limits = Limits(),  # noqa: B008
) -> Proposal:
    """Propose a contract for an export, also for one that has headers and no rows.

    `without` withholds what is known of some networks (see `NETWORKS`); a name that is none of them is noted.
    Without an `embedder` headers are read by their words and values alone; `minilm.packaged_embedder` gives the
    packaged model. `name` is what the file is called.

    Raises:
        UnreadableFile, FileTooLarge: the file itself.
    """
    if isinstance(source, OpenedFile):
        return _propose(source, contracts, without, reranker, embedder, name or "report")
    with (
        tempfile.TemporaryDirectory(prefix="propose-") as scratch,
        open_source(source, scratch=Path(scratch), limits=limits) as opened,
    ):
        called = name or source.name.split(".")[0]
        return _propose(opened, contracts, without, reranker, embedder, called)


def _propose(
    opened: OpenedFile,
    contracts: Iterable[Contract],
    without: Collection[str],
    reranker: Reranker | None,
    embedder: Embedder | None,
    name: str,
) -> Proposal:
    withheld = sorted(set(without) & set(NETWORKS))
    knowledge = learn(contracts, withheld)
    table = find_table(opened, knowledge, withheld)
    headers, cells = table.headers, table.cells()
    matched = match_columns(headers, cells, knowledge, without=withheld, embedder=embedder, reranker=reranker)
    near, share = knowledge.nearest(headers)
    made, facts = _draft(matched, near if share >= SAME_NETWORK else None, table, name)
    notes = [f"{network!r} is no network whose knowledge is kept apart; it changes nothing." for network in
             sorted(set(without) - set(NETWORKS))]  # fmt: skip
    notes += [*opened.warnings, *made.notes]
    if embedder is None:
        notes.append("No language model was at hand: headers were read by their words and values alone.")
    if not any(any(cell.strip() for cell in column) for column in cells):
        notes.append("The file has no rows: everything is proposed from the headers alone.")
    notes += [f"{column.source!r}: {read_.note}." for column, read_ in zip(matched.columns, matched.reads, strict=True)
              if read_.note]  # fmt: skip
    text = made.text()
    if text:
        # A proposal that is not a contract would be a defect, and is better found here than in the editor.
        parse_contract(text, origin="proposal")
    return Proposal(
        columns=matched.columns,
        contract_yaml=text,
        currency=facts.currency,
        decimal_sign=facts.decimal_sign,
        grain=facts.grain,
        timezone=facts.near.source.timezone if facts.near else None,
        header_row=table.header_row,
        nearest=near.name if near else None,
        nearest_share=share,
        notes=tuple(notes),
        decisions=tuple(made.decisions),
    )


def _draft(matched: Matched, near: Contract | None, table: Table, name: str) -> tuple[Draft, Facts]:
    facts = Facts(
        network=near.network if near else NEW_NETWORK,
        report=slug(re.sub(r"[\d\-_ .]+$", "", name) or "report"),
        kind=table.opened.head.kind,
        header_rows=table.header_rows,
        sheet=_sheet(table.opened.head),
        currency=find_currency(matched.decisions),
        decimal_sign=decimal_sign(matched.decisions),
        grain=grain(matched.decisions),
        near=near,
        window=find_hidden_window(matched.decisions, _texts(table, name)),
    )
    return draft(matched, facts), facts


def _texts(table: Table, name: str) -> list[tuple[str, str]]:
    """Texts that may tell what holds for all rows: what stands above the headers, and the file's name."""
    above = [cell for row in table.opened.head.rows[: table.header_row - 1] for cell in row if cell.strip()]
    return [*((f"the title {cell.strip()[:40]!r}", cell) for cell in above[:20]), ("the file's name", name)]


def _sheet(head: Head) -> str | None:
    """The sheet's name, where it is not the first of several."""
    return head.sheet if head.sheet is not None and head.sheets and head.sheet != head.sheets[0] else None
