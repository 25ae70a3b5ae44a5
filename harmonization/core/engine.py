"""Harmonising one file: open, bind, compile, run, report.

Results are written beside each other as Parquet: `events.parquet` (good rows), `quarantine.parquet`,
`skipped.parquet`. Nothing is visible in `out_dir` before everything is written.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harmonization.core.binding import Binding, bind, require_period
from harmonization.core.contract import Contract
from harmonization.core.detect import choose_contract, choose_table, find_header_row, header_span, headers_at
from harmonization.core.line_blocks import NotPlainLinesError
from harmonization.core.load_context import LoadContext
from harmonization.core.passes import EVENTS, QUARANTINE, SKIPPED, ReportRows, Tuning, run
from harmonization.core.plan import compile_recipe
from harmonization.core.reading import open_source
from harmonization.core.report import HarmonizeReport
from harmonization.core.source_file import Limits, OpenedFile, UnreadableFile
from harmonization.core.summary import summarise

_BYTES_A_ROW: Final = 40

#: Told the stage by name, and done and total of the stages.
Progress = Callable[[str, int, int], None]


class InconsistentCountError(RuntimeError):
    """Rows in do not equal rows out, quarantined and skipped: a defect of the engine, never of the file."""


def _silent(stage: str, done: int, total: int) -> None:
    return None


def harmonize_file(
    path: Path,
    contract: Contract | list[Contract],
    *,
    out_dir: Path | None = None,
    context: LoadContext = LoadContext(),  # noqa: B008
    progress: Progress = _silent,
    limits: Limits = Limits(),  # noqa: B008
    tuning: Tuning = Tuning(),  # noqa: B008
) -> HarmonizeReport:
    """Harmonise `path` by `contract`, or by the one of several contracts that fits its headers.

    With `out_dir` (made if absent) the three Parquet files are left there, replacing earlier ones; without, only the
    report remains. Memory is bounded for CSV; a workbook is held in memory, within `limits`.

    Raises:
        UnreadableFile, FileTooLarge: the file itself.
        HeadersDoNotFit, NoContractFits, SeveralContractsFit, InvalidParameter: the file against the contract.
    """
    ask = _Ask(path, contract, context, progress, limits, tuning, out_dir)
    try:
        return _harmonize(ask, quick=True)
    except NotPlainLinesError:
        # Nothing was left anywhere: the file is read from its beginning, by the reader that reads everything.
        return _harmonize(ask, quick=False)


@dataclass(frozen=True, slots=True)
class _Ask:
    """The arguments of `harmonize_file`."""

    path: Path
    contract: Contract | list[Contract]
    context: LoadContext
    progress: Progress
    limits: Limits
    tuning: Tuning
    out_dir: Path | None


def _harmonize(ask: _Ask, *, quick: bool) -> HarmonizeReport:
    path, contract, context, progress, out_dir = ask.path, ask.contract, ask.context, ask.progress, ask.out_dir
    with tempfile.TemporaryDirectory(prefix="harmonize-", dir=_made(out_dir)) as scratch_name:
        scratch = Path(scratch_name)
        progress("open", 0, 4)
        single = contract if isinstance(contract, Contract) else None
        source = single.source if single else None
        with open_source(
            path,
            encoding=source.encoding if source else "auto",
            delimiter=source.delimiter if source else "auto",
            sheet=source.sheet if source else None,
            records=source.records if source else None,
            scratch=scratch,
            limits=ask.limits,
            plain_from=ask.tuning.plain_from if quick else None,
        ) as opened:
            opened = choose_table(opened, [single] if single else list(contract))  # type: ignore[arg-type]
            chosen = single or choose_contract(opened.head, list(contract), path.name)  # type: ignore[arg-type]
            header_row, binding = _bind(opened, chosen, context, path.name)
            last_header_row = header_row + header_span(opened.head, chosen) - 1
            progress("harmonise", 1, 4)
            recipe = compile_recipe(binding, context)
            outcome = run(
                ReportRows(opened, last_header_row, len(binding.headers), ask.tuning.batch_rows),
                recipe,
                scratch,
                expected=_expected_rows(path),
                looking=lambda: progress("duplicates", 2, 4),
                tuning=ask.tuning,
            )
            if outcome.rows_in == 0:
                raise UnreadableFile(
                    "The file has a header and no rows.",
                    where=f"{path.name}, row {header_row}",
                    fix="Export a period with activity.",
                )
            progress("summarise", 3, 4)
            report = summarise(
                outcome,
                binding,
                path.name,
                opened,
                header_row,
                out_dir,
                currency_assumed=chosen.source.currency_assumed
                and context.currency is None
                and not binding.names_currency,
            )
        accounted = report.rows_out + report.rows_quarantined + report.rows_skipped
        if accounted != report.rows_in:
            raise InconsistentCountError(f"{report.rows_in} rows in, {accounted} accounted for")
        if out_dir is not None:
            for name in (EVENTS, QUARANTINE, SKIPPED):
                (scratch / name).replace(out_dir / name)
        progress("done", 4, 4)
        return report


def _made(out_dir: Path | None) -> Path | None:
    if out_dir is not None:
        out_dir.mkdir(parents=True, exist_ok=True)
    return out_dir


def _bind(opened: OpenedFile, contract: Contract, context: LoadContext, name: str) -> tuple[int, Binding]:
    if opened.head.kind not in contract.source.formats:
        raise UnreadableFile(
            f"{contract.label} reads {' and '.join(contract.source.formats)}; this is {opened.head.kind}.",
            where=name,
            fix="Export the report in that format, or add the format to the contract.",
        )
    header_row = find_header_row(opened.head, contract)
    headers = list(headers_at(opened.head, header_row, contract))
    while headers and not headers[-1].strip() and opened.head.kind == "csv":
        headers.pop()
    binding = bind(contract, headers, context)
    require_period(binding)
    return header_row, binding


def _expected_rows(path: Path) -> int:
    """About how many rows the file has, rather more than too few."""
    return path.stat().st_size // _BYTES_A_ROW
