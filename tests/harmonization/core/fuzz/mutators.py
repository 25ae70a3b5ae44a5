"""Ways in which files come to grief: by bytes, by lines, by cells, by packing.

Each takes the content of a file and a source of chance, and gives other content; it never fails, whatever it is given.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable
from typing import Any, Final

import zstandard

Mutator = Callable[[bytes, random.Random], bytes]

CELLS: Final = (
    *("", "-", " ", "\t", "null", "N/A", "Total", "=1+1", "#REF!", "NaN", "inf", "-inf", "0x10", "1e309", "1e-400"),
    *("12,5", "1.234,56", "1 234,56", "₹1,23,456.70", "Rs.201.68", "$-6.0", "(12.00)", "(12.00", "1,2,3", "--5", "5-"),
    *("99999999999999999999999999999999999999999", "9223372036854775808", "-9223372036854775809", "0.0000000000001"),
    *("1.66%", "%", "100 %", "7.61E+12", "04012345678901", "012345678905", "1719792000000", "1719792000", "43862"),
    *("2024-02-30", "0000-00-00", "9999-12-31", "2024-03-10 02:30:00", "2024-11-03 01:30:00", "Feb 30, 2020", "1/1/1"),
    *("\u200b", "\ufeff", "\u202e", "🎉", "١٢٣", "𝟙𝟚", "−5", "é" * 300, "x" * 5000, "\x1f", "\x1e", "\\", "\\N", "'"),
    *("'; drop table events; --", "${jndi:ldap://x}", "../../etc/passwd", "<script>", "%s%n", "\x01", "\x7f", "\x85"),
    *("a\nb", "a\rb", 'a"b', '"', '""', '"a', 'a"', ",", ";", "|", "a,b", "\u2028", "\x0c", "\x1c", "\xa0"),
)
HEADERS: Final = (
    "",
    " ",
    "Spend",
    "spend",
    "Clicks",
    "Date",
    "7 Day Total Sales",
    "x" * 2000,
    "\n",
    "Ünïcode",
    '"',
    ",",
)
_BREAKS: Final = (b"\n", b"\r\n", b"\r", b"\n\r", b"\x0b", b"\x0c", b"\x85", "\u2028".encode())


def flip_bytes(content: bytes, chance: random.Random) -> bytes:
    made = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8, 64))):
        if made:
            made[chance.randrange(len(made))] = chance.randrange(256)
    return bytes(made)


def flip_bits_at_an_end(content: bytes, chance: random.Random) -> bytes:
    """Formats keep what matters most in their first and last bytes."""
    made = bytearray(content)
    for _ in range(chance.randrange(1, 4)):
        if made:
            place = chance.randrange(min(len(made), 200))
            made[chance.choice((place, -1 - place))] ^= 1 << chance.randrange(8)
    return bytes(made)


def cut_off(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def cut_front(content: bytes, chance: random.Random) -> bytes:
    return content[chance.randrange(min(len(content), 300) + 1) :]


def lose_a_slice(content: bytes, chance: random.Random) -> bytes:
    start, end = _slice(content, chance)
    return content[:start] + content[end:]


def repeat_a_slice(content: bytes, chance: random.Random) -> bytes:
    start, end = _slice(content, chance)
    times = chance.choice((1, 1, 2, 50))
    return content[:end] + content[start:end] * times + content[end:]


def zero_a_slice(content: bytes, chance: random.Random) -> bytes:
    start, end = _slice(content, chance)
    return content[:start] + bytes(end - start) + content[end:]


def insert_noise(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content) + 1)
    return content[:place] + chance.randbytes(chance.choice((1, 4, 100))) + content[place:]


def append_noise(content: bytes, chance: random.Random) -> bytes:
    return content + chance.choice(
        (b"\0", b"\n", b"\x1a", b"\xff\xfe", b"garbage", b"PK\x05\x06", chance.randbytes(50))
    )


def drop_a_line(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    if lines:
        del lines[chance.randrange(len(lines))]
    return b"".join(lines)


def repeat_a_line(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    if lines:
        lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    return b"".join(lines)


def splice_lines(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    if len(lines) > 1:
        place = chance.randrange(len(lines) - 1)
        lines[place] = lines[place].rstrip(b"\r\n")
    return b"".join(lines)


def shuffle_lines(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    chance.shuffle(lines)
    return b"".join(lines)


def blank_lines(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    for _ in range(chance.randrange(1, 5)):
        lines.insert(chance.randrange(len(lines) + 1), chance.choice((b"\n", b"\r\n", b",,,\n", b"   \n", b'""\n')))
    return b"".join(lines)


def other_line_ends(content: bytes, chance: random.Random) -> bytes:
    end = chance.choice(_BREAKS)
    lines = content.splitlines()
    if chance.random() < 0.5:
        return end.join(lines) + end
    return b"".join(line + (end if chance.random() < 0.2 else b"\n") for line in lines)


def other_delimiter(content: bytes, chance: random.Random) -> bytes:
    old, new = chance.choice((b",", b"\t")), chance.choice((b";", b"\t", b"|", b",", b"", b"  "))
    if chance.random() < 0.5:
        return content.replace(old, new)
    lines = content.splitlines(keepends=True)
    if lines:
        place = chance.randrange(len(lines))
        lines[place] = lines[place].replace(old, new)
    return b"".join(lines)


def trailing_delimiters(content: bytes, chance: random.Random) -> bytes:
    share = chance.choice((0.1, 1.0))
    return b"".join(
        line.rstrip(b"\r\n") + b"," * chance.randrange(1, 4) + b"\n" if chance.random() < share else line
        for line in content.splitlines(keepends=True)
    )


def stray_quotes(content: bytes, chance: random.Random) -> bytes:
    made = bytearray(content)
    for _ in range(chance.choice((1, 2, 3, 20))):
        made[(place := chance.randrange(len(made) + 1)) : place] = chance.choice(
            (b'"', b'""', b"'", b'",', b',"', b'\n"')
        )
    return bytes(made)


def other_encoding(content: bytes, chance: random.Random) -> bytes:
    text = content.decode(errors="replace") + chance.choice(("", "é", "\n€,ü\n"))
    encoding = chance.choice(("utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "utf-8-sig", "utf-7", "cp500"))
    return text.encode(encoding, errors="replace")


def several_encodings(content: bytes, chance: random.Random) -> bytes:
    made = []
    for line in content.decode(errors="replace").splitlines(keepends=True):
        accented = line.replace("a", "ä") if chance.random() < 0.3 else line
        made.append(accented.encode(chance.choice(("utf-8", "utf-8", "cp1252", "latin-1")), errors="replace"))
    return b"".join(made)


def odd_bytes(content: bytes, chance: random.Random) -> bytes:
    made = bytearray(content)
    for _ in range(chance.randrange(1, 6)):
        made[(place := chance.randrange(len(made) + 1)) : place] = chance.choice(
            (b"\0", b"\xff", b"\x81", b"\x8d", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80", codecs.BOM_UTF8, b"\x1a")
        )
    return bytes(made)


def lines_above_and_below(content: bytes, chance: random.Random) -> bytes:
    above = chance.choice(
        (b"", b"Report\n\n", b"Account,Acme\nFrom,2024-01-01\n\n", b"\n" * 60, b'"Note","two\nlines"\n')
    )
    below = chance.choice((b"", b"Total,,,9\n", b"\n\nGenerated by Example\n", b"Grand total:,1,2,3,4,5,6,7,8,9,0\n"))
    return above + content + below


def a_long_line(content: bytes, chance: random.Random) -> bytes:
    place = content.find(b"\n", chance.randrange(len(content) + 1)) + 1
    return content[:place] + chance.choice((b"x", b",", b'"')) * 1_100_000 + content[place:]


def change_cells(content: bytes, chance: random.Random) -> bytes:
    lines = content.split(b"\n")
    for _ in range(chance.choice((1, 3, 30))):
        place = chance.randrange(len(lines))
        cells = lines[place].split(b",")
        cells[chance.randrange(len(cells))] = chance.choice(CELLS).encode()
        lines[place] = b",".join(cells)
    return b"\n".join(lines)


def change_a_column(content: bytes, chance: random.Random) -> bytes:
    """One thing in a whole column: a format that the network changed."""
    lines, cell = content.split(b"\n"), chance.choice(CELLS).encode()
    position = chance.randrange(lines[0].count(b",") + 1)
    for place, line in enumerate(lines[1:], start=1):
        cells = line.split(b",")
        if position < len(cells):
            cells[position] = cell
            lines[place] = b",".join(cells)
    return b"\n".join(lines)


def change_headers(content: bytes, chance: random.Random) -> bytes:
    header, newline, rest = content.partition(b"\n")
    cells = header.split(b",")
    match chance.randrange(5):
        case 0:
            cells[chance.randrange(len(cells))] = chance.choice(HEADERS).encode()
        case 1:
            cells.append(chance.choice(cells))
        case 2:
            del cells[chance.randrange(len(cells))]
        case 3:
            chance.shuffle(cells)
        case _:
            cells = [cell.upper() + chance.choice((b" ", b" (USD)", b"  (%)", b"")) for cell in cells]
    return b",".join(cells) + newline + rest


def _slice(content: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(content) + 1)
    return start, min(len(content), start + chance.choice((1, 2, 10, 100, 1000)))


def change_json(content: bytes, chance: random.Random) -> bytes:
    """A change that leaves each line, or the document, JSON: of keys, values and depth."""
    lines = content.split(b"\n") if not content.lstrip().startswith(b"[") else [content]
    place = chance.randrange(len(lines))
    try:
        value = json.loads(lines[place])
    except (ValueError, RecursionError):
        return content
    records = [value] if isinstance(value, dict) else value
    if not isinstance(records, list) or not records or not isinstance(records[0], dict):
        return content
    record = chance.choice(records)
    if isinstance(record, dict) and record:
        key = chance.choice(list(record))
        odd: list[Any] = [*CELLS, 1e400, -0.0, True, None, [], {}, [1, {"a": None}], {"a": {"b": 1}}, 10**30, "\ud800"]
        odd += ["\0", [{"action_type": "x", "value": 1}], [{"action_type": "x"}, {"action_type": "x"}]]
        match chance.randrange(4):
            case 0:
                record[key] = chance.choice(odd)
            case 1:
                del record[key]
            case 2:
                record[f"{key}.{chance.choice(('a', key, ''))}"] = chance.choice(odd)
            case _:
                record[chance.choice((*HEADERS, "\0", "\ud800"))] = record.pop(key)
    if chance.random() < 0.3:
        value = {"meta": {"n": 1, "also": [{"a": 1}]}, "data": {"rows": records}}
    lines[place] = json.dumps(value, ensure_ascii=chance.random() < 0.8).encode(errors="surrogatepass")
    return b"\n".join(lines)


def double_a_key(content: bytes, chance: random.Random) -> bytes:
    found = content.find(b'{"', chance.randrange(len(content) + 1))
    return content[: found + 1] + b'"x": 1, "x": 2, ' + content[found + 1 :] if found >= 0 else content


def nest_deeply(content: bytes, chance: random.Random) -> bytes:
    found = content.find(b": ", chance.randrange(len(content) + 1))
    depth = chance.choice((10, 900, 50_000))
    return content[:found] + b": " + b"[" * depth + b"]" * depth + b', "x"' + content[found:] if found >= 0 else content


def change_a_member(content: bytes, chance: random.Random) -> bytes:
    """Packs a zip archive anew with one member changed, dropped, doubled or renamed."""
    members = _members(content)
    if not members:
        return flip_bytes(content, chance)
    place = chance.randrange(len(members))
    name, inner = members[place]
    match chance.randrange(5):
        case 0:
            del members[place]
        case 1:
            members.append((name, inner))
        case 2:
            members[place] = (chance.choice(("../x.csv", "/x.csv", "a\\b.csv", "x", "x.csv", "é.csv", "")), inner)
        case _:
            members[place] = (name, chance.choice((flip_bytes, cut_off, lose_a_slice, stray_quotes))(inner, chance))
    return _packed(members)


def change_sheet(content: bytes, chance: random.Random) -> bytes:
    """Changes the XML of a workbook's sheet as other programs write it, or as none should."""
    members = _members(content)
    sheets = [place for place, (name, _) in enumerate(members) if name.startswith("xl/worksheets/sheet")]
    counts = [place for place, (name, _) in enumerate(members) if name.endswith(("sharedStrings.xml", "styles.xml"))]
    if counts and chance.random() < 0.2:
        place = chance.choice(counts)
        members[place] = (members[place][0], members[place][1].replace(b'ount="', b'ount="99999999', 2))
        return _packed(members)
    if not sheets:
        return change_a_member(content, chance)
    place = chance.choice(sheets)
    name, sheet = members[place]
    at = sheet.find(b"<c ", chance.randrange(len(sheet)))
    end = sheet.find(b"</c>", at)
    if at < 0 or end < 0:
        return content
    row = sheet.rfind(b"<row", 0, at)
    cell = chance.choice(
        (
            b'<c r="A1" t="e"><v>#REF!</v></c>',
            b"<c><f>1+1</f><v/></c>",
            b'<c r="XFD1048576"><v>1</v></c>',
            b'<c r="A9999999999"><v>1</v></c>',
            b'<c r="B2" t="s"><v>999999</v></c>',
            b'<c r="B2" t="d"><v>2024-02-30</v></c>',
            b'<c r="B2" t="inlineStr"><is><t>' + chance.choice(CELLS[:30]).encode() + b"</t></is></c>",
            b'<c r="B2"><v>1e400</v></c>',
            b'<c r="B2"><v>x</v></c>',
        )
    )
    spoiled = (
        sheet[:at] + cell + sheet[end + 4 :],
        sheet[:row] + sheet[end + 4 :],
        sheet.replace(b"<dimension", b"<dimensions"),
        sheet.replace(b'ref="A1', b'ref="A1:XFD1048576" x="A1', 1),
        sheet[:at] + cell * 40 + sheet[at:],
        sheet.replace(b"</row>", b"", 1),
    )
    members[place] = (name, chance.choice(spoiled))
    return _packed(members)


def _members(content: bytes) -> list[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [(name, archive.read(name)) for name in archive.namelist()]
    except Exception:  # noqa: BLE001  what was damaged before stays as it is
        return []


def _packed(members: list[tuple[str, bytes]]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        written = set()
        for name, inner in members:
            if name not in written or len(members) < 3:
                archive.writestr(zipfile.ZipInfo(name), inner)
            written.add(name)
    return sink.getvalue()


def pack_wrongly(content: bytes, chance: random.Random) -> bytes:
    """Two archives one after the other, an archive in an archive, or none where the name says one."""
    packed = gzip.compress(content, mtime=0)
    return chance.choice(
        (packed, packed + packed, zstandard.compress(content), zstandard.compress(content) * 2, content)
    )


ANY: Final[tuple[Mutator, ...]] = (
    flip_bytes,
    flip_bits_at_an_end,
    cut_off,
    cut_front,
    lose_a_slice,
    repeat_a_slice,
    zero_a_slice,
    insert_noise,
    append_noise,
)
LINES: Final[tuple[Mutator, ...]] = (
    drop_a_line,
    repeat_a_line,
    splice_lines,
    shuffle_lines,
    blank_lines,
    other_line_ends,
    other_encoding,
    several_encodings,
    odd_bytes,
    a_long_line,
)
TABLES: Final[tuple[Mutator, ...]] = (
    other_delimiter,
    trailing_delimiters,
    stray_quotes,
    lines_above_and_below,
    change_cells,
    change_cells,
    change_a_column,
    change_a_column,
    change_headers,
)
JSON: Final[tuple[Mutator, ...]] = (change_json, change_json, change_json, double_a_key, nest_deeply)
BY_KIND: Final[dict[str, tuple[Mutator, ...]]] = {
    "csv": (*ANY, *LINES, *TABLES, *TABLES),
    "json": (*ANY, *LINES, *JSON, *JSON),
    "ndjson": (*ANY, *LINES, *JSON, *JSON),
    "parquet": ANY,
    "xlsx": (*ANY, change_a_member, change_sheet, change_sheet, change_sheet),
    "gz": (*ANY, pack_wrongly),
    "zst": (*ANY, pack_wrongly),
    "zip": (*ANY, change_a_member, change_a_member),
}
