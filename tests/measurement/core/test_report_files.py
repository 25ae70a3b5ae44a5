"""A reading as files: everything in the CSV, a PDF of the same bytes, the disclosure in both."""

from __future__ import annotations

import base64
import csv
import io
import re
import zlib
from dataclasses import replace

import numpy as np
import pytest

from measurement.core.answers import Sensitivity
from measurement.core.readout import disclosure
from measurement.core.report_file import HEADER, write_csv
from measurement.core.report_pdf import write_pdf
from tests.measurement.readings import a_reading, some_facts


def table(reading, facts=None):
    content = write_csv(reading, facts or some_facts(), name="GT-0011").content
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    at = rows.index([])
    return [dict(zip(HEADER, row, strict=True)) for row in rows[1:at]], [row[0] for row in rows[at + 1 :]]


def page_text(content):
    """What the pages write, in the order of their streams; letters outside ASCII as octal."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        try:
            drawn = zlib.decompress(base64.a85decode(stream.strip(), adobe=False) if b"~>" not in stream else
                                    base64.a85decode(b"<~" + stream.strip(), adobe=True))  # fmt: skip
        except (ValueError, zlib.error):
            continue
        found += re.findall(rb"\((.*?)(?<!\\)\) Tj", drawn)
    return b" ".join(found).decode("latin-1")


def test_figures_are_in_full_precision():
    reading = a_reading()
    rows, _ = table(reading)
    figure = {row["Name"]: row for row in rows if row["Section"] == "figure"}
    assert float(figure["lift"]["Value"]) == reading.lift.value
    assert float(figure["incremental"]["High"]) == reading.incremental.high
    assert float(figure["extra spend"]["Value"]) == 184_200


def test_series_units_weights_and_placebos_are_all_there():
    reading = a_reading()
    rows, _ = table(reading)

    def of(section):
        return [row for row in rows if row["Section"] == section]

    assert [float(row["Value"]) for row in of("observed")] == list(reading.observed)
    assert {row["Note"] for row in of("observed")} == {"before", "test", "cool-down"}
    assert [float(row["Value"]) for row in of("placebo")] == list(reading.placebos)
    assert {row["Name"] for row in of("unit")} == set(reading.treated)
    assert sum(float(row["Value"]) for row in of("weight")) == pytest.approx(1.0)
    assert len(of("other method")) == 4
    assert of("counterfactual")[0]["Low"] == ""


def test_the_file_carries_the_disclosure_and_the_warnings():
    _, notes = table(a_reading())
    for title, text in disclosure(a_reading(), some_facts()):
        assert f"# {title}: {text}" in notes
    assert any(line.startswith("# Warning: Sales of 2026-07-03") for line in notes)
    assert any("ab" * 32 in line for line in notes)


def test_names_that_a_spreadsheet_would_run_stay_text():
    reading = replace(a_reading(), weights={"=1+1": 1.0})
    rows, _ = table(reading)
    assert [row["Name"] for row in rows if row["Section"] == "weight"] == ["'=1+1"]


def test_the_report_is_the_same_bytes_every_time():
    first, second = (write_pdf(a_reading(), some_facts(), name="GT-0011") for _ in range(2))
    assert first.content == second.content
    assert first.content.startswith(b"%PDF-")
    assert (first.name, first.content_type) == ("GT-0011.pdf", "application/pdf")
    other = write_pdf(a_reading(lift=0.03), some_facts(), name="GT-0011")
    assert other.content != first.content


def test_the_report_tells_figures_plan_and_disclosure():
    text = page_text(write_pdf(a_reading(), some_facts(), name="x").content)
    for words in ("Walmart search heavy-up", "1.86", "Attribution: 14-day click", "Viewability:", "Invalid traffic:",
                  "Class of evidence: randomised experiment", "ab" * 32, "Minnesota"):  # fmt: skip
        assert words in text


def test_the_disclosure_is_at_the_foot_of_every_page():
    content = write_pdf(a_reading(), some_facts(), name="x").content
    pages = content.count(b"/Type /Page\n") or len(re.findall(rb"/Type /Page\b(?!s)", content))
    assert pages >= 2
    assert page_text(content).count("Class of evidence: randomised experiment") == pages


def test_a_reading_without_placebos_cost_and_interval_is_written_too():
    nothing = np.full(len(a_reading().periods), np.nan)
    reading = replace(
        a_reading(), placebos=np.array([]), iroas=None, cost=None, low=nothing, high=nothing, weights={},
        sensitivity=(), by_unit=(), cooldown_end=a_reading().end,
        cumulative=a_reading().cumulative[:28], cumulative_low=nothing[:28], cumulative_high=nothing[:28],
    )  # fmt: skip
    facts = some_facts(plan_sha256="", registered="", currency="", power=None)
    assert "none was registered" in page_text(write_pdf(reading, facts, name="x").content)
    rows, _ = table(reading, facts)
    assert not [row for row in rows if row["Section"] in {"placebo", "weight", "unit"}]


def test_letters_that_the_font_lacks_are_counted_not_dropped():
    text = page_text(write_pdf(a_reading(), some_facts(name="Łódź 東京"), name="x").content)
    # The mark of ź falls away; three letters have nothing that stands for them, in every place they are written.
    assert "?\\363dz ??" in text
    assert " of no font of this file stand as ?" in text


def test_markup_in_names_is_text():
    reading = replace(a_reading(), sensitivity=(Sensitivity("sdid", None, None, "<b>x</b> & y"),))
    text = page_text(write_pdf(reading, some_facts(), name="x").content)
    # Each sign is drawn by itself.
    assert "<b>x</b>&y" in text.replace(" ", "")
