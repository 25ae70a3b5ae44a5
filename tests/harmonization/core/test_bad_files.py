"""What is not a good export is refused with the place and the next move."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import polars as pl
import pytest

from harmonization.core.binding import HeadersDoNotFit, InvalidParameter
from harmonization.core.contract import Contract
from harmonization.core.detect import NoContractFits, SeveralContractsFit
from harmonization.core.engine import harmonize_file
from harmonization.core.library import find_contract, shipped_contracts
from harmonization.core.load_context import LoadContext
from harmonization.core.source_file import FileTooLarge, Limits, UnreadableFile
from harmonization.core.unpacking import CannotUnpack, unpack
from tenants.core.problems import Problem
from tests.harmonization.core.exports import SEARCH_TERM, csv_bytes, search_term_row, write_csv, write_xlsx

ROWS = [SEARCH_TERM, search_term_row("chips")]


@pytest.fixture(scope="module")
def contract() -> Contract:
    return find_contract("amazon_sp_search_term")


def refused(path: Path, contract: Contract | list[Contract], limits: Limits | None = None) -> Problem:
    with pytest.raises(Problem) as caught:
        harmonize_file(path, contract, limits=limits or Limits())
    problem = caught.value
    assert problem.detail
    assert problem.where
    assert problem.fix
    return problem


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", "empty"),
        ("blank.csv", b"\r\n  \r\n", "empty"),
        ("report.xlsx", csv_bytes(ROWS), "named as an Excel workbook"),
        ("report.csv", b"PK\x03\x04" + bytes(100), "name says otherwise"),
        ("report.csv", b"%PDF-1.7 ...", "PDF"),
        ("report.xls", b"\xd0\xcf\x11\xe0" + bytes(100), "97-2003"),
        ("report.csv", b"a,b\x00\x01\x02\xff,c\n1,2,3\n", "binary"),
        ("report.csv", b"\x1f\x8b" + bytes(50), "name says otherwise"),
        ("report.csv.gz", b"\x1f\x8b" + bytes(50), "damaged"),
        ("report.xlsx", b"PK\x03\x04" + bytes(100), "damaged"),
    ],
)
def test_files_that_are_something_else(
    tmp_path: Path, contract: Contract, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    problem = refused(path, contract)
    assert isinstance(problem, UnreadableFile)
    assert words in problem.detail
    assert name in problem.where


def test_a_path_that_is_not_there(tmp_path: Path, contract: Contract) -> None:
    assert "cannot be opened" in refused(tmp_path / "gone.csv", contract).detail


def test_header_only(tmp_path: Path, contract: Contract) -> None:
    assert "no rows" in refused(write_csv(tmp_path / "st.csv", [SEARCH_TERM]), contract).detail
    assert "no rows" in refused(write_xlsx(tmp_path / "st.xlsx", [SEARCH_TERM]), contract).detail


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95, 0.999])
def test_truncated_workbook(tmp_path: Path, contract: Contract, kept: float) -> None:
    content = write_xlsx(tmp_path / "whole.xlsx", ROWS).read_bytes()
    path = tmp_path / "st.xlsx"
    path.write_bytes(content[: int(len(content) * kept)])
    assert "damaged" in refused(path, contract).detail


def test_corrupt_member_of_a_workbook(tmp_path: Path, contract: Contract) -> None:
    content = bytearray(write_xlsx(tmp_path / "whole.xlsx", ROWS).read_bytes())
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as archive:
        at = archive.getinfo("xl/worksheets/sheet1.xml").header_offset + 80
    content[at : at + 40] = bytes(40)
    path = tmp_path / "st.xlsx"
    path.write_bytes(content)
    assert "damaged" in refused(path, contract).detail


def test_a_zip_that_is_no_workbook(tmp_path: Path, contract: Contract) -> None:
    path = tmp_path / "st.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("st.csv", csv_bytes(ROWS))
    assert "no Excel workbook" in refused(path, contract).detail


def test_a_zip_bomb_is_refused_by_what_it_declares(tmp_path: Path, contract: Contract) -> None:
    path = write_xlsx(tmp_path / "st.xlsx", ROWS)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.png", bytes(64 * 1024**2))
    problem = refused(path, contract)
    assert isinstance(problem, FileTooLarge)
    assert "expand" in problem.detail


def test_a_zip_bomb_that_lies_about_its_size_is_refused(tmp_path: Path, contract: Contract) -> None:
    path = write_xlsx(tmp_path / "st.xlsx", ROWS)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.png", bytes(64 * 1024**2))
    honest = (64 * 1024**2).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(honest, (1000).to_bytes(4, "little")))
    refused(path, contract)


def test_a_gzip_bomb(tmp_path: Path, contract: Contract) -> None:
    path = tmp_path / "st.csv.gz"
    path.write_bytes(gzip.compress(b"," * (64 * 1024**2)))
    assert isinstance(refused(path, contract), FileTooLarge)


def test_one_endless_line_is_refused_before_it_is_held(tmp_path: Path, contract: Contract) -> None:
    path = tmp_path / "st.csv"
    with path.open("wb") as file:
        file.write(csv_bytes(ROWS) + b"x" * 5000)
        file.truncate(2 * 1024**3)
    problem = refused(path, contract)
    assert isinstance(problem, FileTooLarge)
    assert "line 3" in problem.where


def test_a_file_over_the_limit(tmp_path: Path, contract: Contract) -> None:
    path = write_csv(tmp_path / "st.csv", ROWS)
    problem = refused(path, contract, Limits(file_size=100))
    assert isinstance(problem, FileTooLarge)
    assert "100" in problem.detail


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings_that_are_understood(tmp_path: Path, contract: Contract, encoding: str) -> None:
    rows = [SEARCH_TERM, search_term_row("crème brûlée")]
    path = write_csv(tmp_path / "st.csv", rows, encoding=encoding)
    report = harmonize_file(path, contract, out_dir=tmp_path / "out")
    assert pl.read_parquet(tmp_path / "out" / "events.parquet")["search_term"].to_list() == ["crème brûlée"]
    assert any("Windows-1252" in warning.detail for warning in report.warnings) == (encoding == "cp1252")


def test_an_encoding_that_is_none_of_them(tmp_path: Path, contract: Contract) -> None:
    path = tmp_path / "st.csv"
    path.write_bytes(csv_bytes(ROWS) + b"\xff\x81\n" * 5)
    problem = refused(path, contract)
    assert f"byte {len(csv_bytes(ROWS)) + 1}" in problem.where


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(tmp_path: Path, contract: Contract, delimiter: str) -> None:
    path = write_csv(tmp_path / "st.csv", ROWS, delimiter=delimiter)
    assert harmonize_file(path, contract).rows_out == 1


def test_gzipped_csv(tmp_path: Path, contract: Contract) -> None:
    path = tmp_path / "st.csv.gz"
    path.write_bytes(gzip.compress(csv_bytes(ROWS)))
    assert harmonize_file(path, contract).rows_out == 1


@pytest.mark.parametrize("newline", [b"\n", b"\r"])
def test_line_ends(tmp_path: Path, contract: Contract, newline: bytes) -> None:
    path = tmp_path / "st.csv"
    path.write_bytes(csv_bytes(ROWS).replace(b"\r\n", newline))
    assert harmonize_file(path, contract).rows_out == 1


def test_an_inch_sign_in_a_bare_cell_moves_nothing(tmp_path: Path, contract: Contract) -> None:
    content = csv_bytes([SEARCH_TERM, search_term_row("INCH"), search_term_row("b"), search_term_row("c")])
    path = tmp_path / "st.csv"
    path.write_bytes(content.replace(b"INCH", b'5" nails'))
    harmonize_file(path, contract, out_dir=tmp_path / "out")
    terms = pl.read_parquet(tmp_path / "out" / "events.parquet")["search_term"].to_list()
    assert terms == ['5" nails', "b", "c"]


def test_a_missing_required_column_names_the_closest_header(tmp_path: Path, contract: Contract) -> None:
    renamed = [header.replace("Customer Search Term", "Customers Search Terms") for header in SEARCH_TERM]
    problem = refused(write_csv(tmp_path / "st.csv", [renamed, search_term_row("a")]), contract)
    assert isinstance(problem, HeadersDoNotFit)
    assert "search_term" in problem.detail
    assert "Customers Search Terms" in problem.fix


def test_two_headers_for_one_column(tmp_path: Path, contract: Contract) -> None:
    path = write_csv(tmp_path / "st.csv", [[*SEARCH_TERM, "Clicks"], [*search_term_row("a"), "9"]])
    problem = refused(path, contract)
    assert "both fit clicks" in problem.detail


def test_nothing_fits(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", [["name", "age"], ["bob", "7"]])
    problem = refused(path, list(shipped_contracts().values()))
    assert isinstance(problem, NoContractFits)
    assert len(problem.errors) == len(shipped_contracts())


def test_two_contracts_fit(tmp_path: Path, contract: Contract) -> None:
    twin = contract.model_copy(update={"name": "twin"})
    problem = refused(write_csv(tmp_path / "st.csv", ROWS), [contract, twin])
    assert isinstance(problem, SeveralContractsFit)
    assert "twin" in problem.detail


def test_a_sheet_that_is_not_there(tmp_path: Path, contract: Contract) -> None:
    asks = contract.model_copy(update={"source": contract.source.model_copy(update={"sheet": "Data"})})
    problem = refused(write_xlsx(tmp_path / "st.xlsx", ROWS), asks)
    assert "Report" in problem.fix


def test_parameters_that_the_contract_does_not_know(tmp_path: Path, contract: Contract) -> None:
    path = write_csv(tmp_path / "st.csv", ROWS)
    with pytest.raises(InvalidParameter, match="no parameter 'click_window'"):
        harmonize_file(path, contract, context=LoadContext(parameters={"click_window": "7D"}))


@pytest.mark.parametrize("packing", ["gz", "zip"])
def test_a_full_disk_is_not_told_as_a_damaged_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packing: str):
    path = tmp_path / f"report.csv.{packing}"
    if packing == "gz":
        path.write_bytes(gzip.compress(csv_bytes(ROWS)))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("report.csv", csv_bytes(ROWS))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    opened = Path.open

    def full(self: Path, mode: str = "r", **options):
        # What /dev/full does on every write, here where something is unpacked to.
        return opened(Path("/dev/full"), "wb", buffering=0) if mode == "xb" else opened(self, mode, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(CannotUnpack, match="No space left") as caught:
        unpack(path, scratch, Limits())
    assert caught.value.fix.startswith("Make room")
