"""Markdown pages of the project, as far as tests look at them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_ELSEWHERE = {".venv", ".git", ".rmn", "node_modules", "vendor", ".pytest_cache", ".hypothesis"}


@dataclass(frozen=True)
class Block:
    """A fenced block: its info string (`sh run`) and its text."""

    info: str
    text: str


@cache
def pages() -> tuple[Path, ...]:
    """Every Markdown page of the project's own."""
    return tuple(sorted(path for path in ROOT.rglob("*.md") if not _ELSEWHERE & set(path.relative_to(ROOT).parts)))


def blocks(page: Path, info: str | None = None) -> list[Block]:
    """The page's fenced blocks, or those with an info string."""
    found = [Block(one["info"].strip(), one["text"]) for one in _FENCE.finditer(page.read_text(encoding="utf-8"))]
    return [block for block in found if info is None or block.info == info]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def table_under(page: Path, heading: str) -> list[list[str]]:
    """Rows of the first table under a heading, without its head; cells without the outer back-ticks."""
    section = re.split(r"^#", prose(page).partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def bare(cell: str) -> str:
    """A cell without back-ticks around it."""
    return cell.strip("`")


def named(page: Path) -> str:
    """The page's path in the project, for test ids."""
    return page.relative_to(ROOT).as_posix()
