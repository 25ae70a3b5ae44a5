"""Every shipped contract against a truth that was fixed before anything was formatted.

Three readings of each sample must agree, row by row and to the cent: the generator's figures, the file as csv,
openpyxl, json and pyarrow read it with Decimal alone, and the rows that the harmoniser publishes.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from demo.core.report_samples import TABLES, make_samples
from demo.core.reports.files import sample_truth, write_sample
from demo.core.reports.tables import Sample
from harmonization.core.engine import harmonize_file
from harmonization.core.library import shipped_contracts
from harmonization.core.load_context import LoadContext
from tests.harmonization.core.report_reading import figure_values, read_rows

SAMPLES = {sample.file_name: sample for sample in make_samples(seed=11)}
library = cache(shipped_contracts)
#: Findings about a file as a whole; findings about rows would say that figures of one row contradict each other.
OF_THE_FILE = {"currency_assumed", "unknown_columns", "unmapped_values"}
#: Meta's kinds of action overlap: that some are no figure is told with every file.
EXPECTED = OF_THE_FILE | {"kind_counted"}


def files() -> Iterator[object]:
    return (pytest.param(sample, id=name) for name, sample in SAMPLES.items())


def context_of(sample: Sample) -> LoadContext:
    """What the person who loads the file knows: the currency only where the file does not name it."""
    currency = None if sample.table.knows_currency else sample.form.currency
    return LoadContext(currency=currency, parameters=sample.form.parameters)


def test_every_shipped_contract_has_a_sample() -> None:
    assert sorted({table.contract for table in TABLES}) == sorted(library())


@pytest.mark.parametrize("sample", files())
def test_three_readings_agree(sample: Sample, tmp_path: Path) -> None:
    path = write_sample(sample, tmp_path)
    truth = sample_truth(sample)
    rows = read_rows(path)
    assert len(rows) == truth["rows"]
    assert truth["figures"]

    report = harmonize_file(path, list(library().values()), out_dir=tmp_path / "out", context=context_of(sample))
    assert report.contract == sample.table.contract, "its own contract is found among all"
    repeated = truth["rows"] - truth["rows_kept"]
    assert (report.rows_in, report.rows_out) == (len(rows), sample.kept)
    assert report.skipped_by_reason == ({"repeated_row": repeated} if repeated else {})
    assert {warning.code for warning in report.warnings} <= EXPECTED
    assert [total.currency for total in report.totals] == [sample.form.currency]

    events = pl.read_parquet(tmp_path / "out" / "events.parquet").sort("source_row")
    for figure, told in zip(sample.figures, truth["figures"], strict=True):
        column = figure.meaning.column
        published = events[column].cast(pl.Decimal(38, 6)).to_list()
        where = f"{sample.file_name}: {column} ({figure.header})"
        assert figure_values(rows, told)[: sample.kept] == list(figure.values), where
        assert published == list(figure.values), where
        assert Decimal(told["total"]) == sum((value for value in published if value is not None), Decimal(0)), where
    attributed = {total.attribution.column for total in report.attributed}
    assert attributed == {figure.meaning.column for figure in sample.figures if figure.meaning.attribution}
