"""A reading as a PDF of one or two pages that can be handed on: figures, pictures, other methods, disclosure.

The same reading gives the same bytes: the document carries no time and no random id of its own.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from measurement.core.answers import PanelReading
from measurement.core.placebo_words import beyond_words
from measurement.core.readout import (
    ExperimentFacts,
    disclosure,
    evidence_words,
    groups_words,
    headline,
    how_texts,
    key_figures,
    level,
    span,
)
from measurement.core.report_drawings import (
    FOCUS,
    INK,
    LINE,
    MUTED,
    counterfactual_drawing,
    cumulative_drawing,
    placebo_drawing,
)
from measurement.core.tile_map import unit_name
from measurement.core.words import MISSING, count_of, method_name, money, p_text, percent, percent_range
from metrics.core.export import ExportFile

_MARGIN: Final = 36
# The frame of a page pads its content by 6 points on either side.
_WIDTH: Final = A4[0] - 2 * _MARGIN - 12
_LEFT: Final = _MARGIN + 6
_BODY: Final = ParagraphStyle("body", fontName="Helvetica", fontSize=9, leading=12, textColor=INK)
_SMALL: Final = ParagraphStyle("small", parent=_BODY, fontSize=7.5, leading=10, textColor=MUTED)
_BOLD: Final = ParagraphStyle("bold", parent=_BODY, fontName="Helvetica-Bold")
_TITLE: Final = ParagraphStyle("title", parent=_BODY, fontName="Helvetica-Bold", fontSize=16, leading=20)
_HEAD: Final = ParagraphStyle("head", parent=_BODY, fontName="Helvetica-Bold", fontSize=10, leading=14, spaceBefore=8)
_FOOT: Final = ParagraphStyle("foot", parent=_SMALL, fontSize=6.5, leading=8)
_VALUE: Final = ParagraphStyle("value", parent=_BODY, fontName="Helvetica-Bold", fontSize=14, leading=17)
_MOST_UNITS: Final = 40


def write_pdf(
    reading: PanelReading, facts: ExperimentFacts, *, name: str, notes: Sequence[tuple[str, str]] = ()
) -> ExportFile:
    """The report of a panel reading.

    Args:
        name: of the file, without its ending.
        notes: (title, text) of where the reading comes from.
    """
    told = _Words()
    story: list[Any] = [
        told.paragraph(f"{facts.reference} {facts.name}".strip(), _TITLE),
        told.paragraph(_lead(reading, facts), _SMALL),
        Spacer(1, 6),
        told.paragraph(headline(reading, facts), _BOLD),
        *(told.paragraph(f"To know before trusting it: {one}", _BODY) for one in reading.warnings),
        Spacer(1, 8),
        _figures(reading, facts, told),
    ]
    texts = how_texts(reading, facts)
    story += _picture(
        told, f"Treated {facts.units} against counterfactual",
        counterfactual_drawing(reading, facts, _WIDTH, 150),
        f"Solid: observed. Dashed: counterfactual. Grey: {level(reading)} interval. {texts['counterfactual']}",
    )  # fmt: skip
    story += _pair(reading, facts, told)
    story += _methods(reading, told)
    story += _units(reading, told, facts)
    story += _listed(told, "Plan and data", [*_plan(reading, facts), *notes])
    story += _listed(told, "To be told with these figures (IAB/MRC)", disclosure(reading, facts))
    if told.lost:
        story.append(
            told.paragraph(
                f"{count_of(told.lost, 'character')} of no font of this file stand as ?; the CSV has them.", _SMALL
            )
        )
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=36, bottomMargin=72, invariant=1,
        title=told.printable(f"{facts.reference} {facts.name}".strip()), author="RMN",
        subject=told.printable(headline(reading, facts)), creator="RMN",
    )  # fmt: skip
    names = f"{facts.reference} {facts.name}".strip()
    footer = told.paragraph(". ".join(f"{title}: {text}" for title, text in disclosure(reading, facts)) + ".", _FOOT)

    def foot(canvas: Any, page: Any) -> None:
        _, height = footer.wrapOn(canvas, _WIDTH, 60)
        footer.drawOn(canvas, _LEFT, 56 - height)
        canvas.setFont("Helvetica", 7)
        canvas.setFillColor(MUTED)
        canvas.drawString(_LEFT, 60, told.printable(f"{names}, {evidence_words(reading)}")[:120])
        canvas.drawRightString(_LEFT + _WIDTH, 60, f"Page {page.page}")

    document.build(story, onFirstPage=foot, onLaterPages=foot)
    return ExportFile(name=f"{name}.pdf", content_type="application/pdf", content=out.getvalue())


class _Words:
    """Text as the printer's fonts can write it; `lost` counts what they cannot."""

    def __init__(self) -> None:
        self.lost = 0

    def printable(self, text: str) -> str:
        """Western characters as they are, others without their accents, and what is left as a question mark."""
        return "".join(self._character(one) for one in text.replace("\N{MINUS SIGN}", "\N{EN DASH}"))

    def _character(self, one: str) -> str:
        for candidate in (one, "".join(part for part in unicodedata.normalize("NFKD", one) if part.isascii())):
            try:
                if candidate and candidate.encode("cp1252"):
                    return candidate
            except UnicodeEncodeError:
                continue
        self.lost += 1
        return "?"

    def paragraph(self, text: str, style: Any) -> Any:
        return Paragraph(escape(self.printable(text)), style)


def _lead(reading: PanelReading, facts: ExperimentFacts) -> str:
    parts = [
        ", ".join(one for one in (facts.brand, facts.retailer, facts.placement) if one), facts.design,
        f"{groups_words(reading, facts)}, {span(reading)}", facts.registered, evidence_words(reading),
    ]  # fmt: skip
    if reading.cost is not None:
        parts.append(f"extra spend {money(reading.cost, facts.currency)}")
    return ". ".join(one[0].upper() + one[1:] for one in parts if one) + "."


def _figures(reading: PanelReading, facts: ExperimentFacts, told: _Words) -> Any:
    figures = key_figures(reading, facts)
    rows = [
        [told.paragraph(one.label, _SMALL) for one in figures],
        [told.paragraph(one.value, _VALUE) for one in figures],
        [told.paragraph(one.interval or " ", _SMALL) for one in figures],
        [told.paragraph(one.verdict or " ", _SMALL) for one in figures],
    ]
    table = Table(rows, colWidths=[_WIDTH / len(figures)] * len(figures), hAlign="LEFT")
    table.setStyle(
        TableStyle([
            ("BOX", (0, 0), (-1, -1), 0.5, LINE), ("LINEAFTER", (0, 0), (-2, -1), 0.5, LINE),
            ("TOPPADDING", (0, 0), (-1, -1), 2), ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ("LEFTPADDING", (0, 0), (-1, -1), 6), ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ])
    )  # fmt: skip
    return table


def _picture(told: _Words, title: str, drawing: Any, caption: str) -> list[Any]:
    return [KeepTogether([told.paragraph(title, _HEAD), drawing, told.paragraph(caption, _SMALL)])]


def _pair(reading: PanelReading, facts: ExperimentFacts, told: _Words) -> list[Any]:
    """Cumulative effect, and beside it the placebos where there are any."""
    texts = how_texts(reading, facts)
    half = (_WIDTH - 14) / 2
    placebo = placebo_drawing(reading, half, 130)
    if placebo is None:
        drawing = cumulative_drawing(reading, facts, _WIDTH, 130)
        return _picture(told, f"Cumulative incremental {facts.outcome}", drawing, texts["cumulative"])
    cells = [
        [told.paragraph(f"Cumulative incremental {facts.outcome}", _HEAD), told.paragraph("Placebo tests", _HEAD)],
        [cumulative_drawing(reading, facts, half, 130), placebo],
        [
            told.paragraph(texts["cumulative"], _SMALL),
            told.paragraph(f"{beyond_words(reading)}. {texts['placebo']}", _SMALL),
        ],
    ]
    table = Table(cells, colWidths=[half + 14, half], hAlign="LEFT")
    table.setStyle(TableStyle([("LEFTPADDING", (0, 0), (-1, -1), 0), ("VALIGN", (0, 0), (-1, -1), "TOP")]))
    return [KeepTogether([table])]


def _methods(reading: PanelReading, told: _Words) -> list[Any]:
    rows = [[told.paragraph(one, _SMALL) for one in ("Method", "Lift", f"{level(reading)} interval", "p", "Note")]]
    rows.append(
        _method(told, f"{method_name(reading.method)} (this reading)", reading.lift, reading.p_value, "", _BOLD)
    )
    rows += [
        _method(told, method_name(one.method), one.lift, one.p_value, one.note, _BODY) for one in reading.sensitivity
    ]
    table = Table(rows, colWidths=[150, 50, 95, 45, _WIDTH - 340], repeatRows=1, hAlign="LEFT")
    table.setStyle(_RULED)
    return [KeepTogether([told.paragraph("The same question to other methods", _HEAD), table])]


def _method(told: _Words, name: str, lift: Any, p_value: float | None, note: str, style: Any) -> list[Any]:
    return [
        told.paragraph(name, style),
        told.paragraph(percent(lift.value, signed=True) if lift else MISSING, style),
        told.paragraph(percent_range(lift) if lift else "", style),
        told.paragraph(MISSING if p_value is None else p_text(p_value), style),
        told.paragraph(note, _SMALL),
    ]


def _units(reading: PanelReading, told: _Words, facts: ExperimentFacts) -> list[Any]:
    shown = reading.by_unit[:_MOST_UNITS]
    if not shown:
        return []
    text = "; ".join(f"{unit_name(one.unit)} {percent(one.lift, signed=True)}" for one in shown)
    rest = len(reading.by_unit) - len(shown)
    more = f"; and {rest} more, in the CSV" if rest else ""
    return [
        KeepTogether([
            told.paragraph(f"Treated {facts.units}, largest first", _HEAD), told.paragraph(f"{text}{more}.", _BODY)
        ])
    ]  # fmt: skip


def _plan(reading: PanelReading, facts: ExperimentFacts) -> list[tuple[str, str]]:
    return [
        ("Analysis plan", f"{facts.plan_sha256} {facts.registered}".strip() or "none was registered"),
        ("Method", f"{method_name(reading.method)}. {reading.why_method}"),
        ("p and intervals", reading.procedure),
    ]


def _listed(told: _Words, title: str, rows: Sequence[tuple[str, str]]) -> list[Any]:
    cells = [[told.paragraph(name, _SMALL), told.paragraph(text, _BODY)] for name, text in rows if text]
    table = Table(cells, colWidths=[95, _WIDTH - 95], hAlign="LEFT")
    table.setStyle(_RULED)
    return [KeepTogether([told.paragraph(title, _HEAD), table])]


_RULED: Final = TableStyle([
    ("LINEBELOW", (0, 0), (-1, -1), 0.25, LINE), ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("TOPPADDING", (0, 0), (-1, -1), 2), ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ("LEFTPADDING", (0, 0), (-1, -1), 0), ("LINEABOVE", (0, 0), (-1, 0), 0.5, FOCUS),
])  # fmt: skip
