"""Blocks that say they can be run are run; commands that pages name exist, with the options they are given."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from argparse import ArgumentParser, _SubParsersAction
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from tests.docs.pages import ROOT, Block, blocks, named, pages
from tests.shell import shell_environment

RUNNABLE = [page for page in pages() if blocks(page, "sh run")]
_COMMAND = re.compile(r"manage\.py +(?P<line>[a-z_]+[^`\n|]*)")


def test_there_are_pages_to_run():
    assert "docs/harmonization.md" in map(named, RUNNABLE)


@pytest.mark.parametrize("page", RUNNABLE, ids=named)
def test_shell_blocks_run(page: Path, tmp_path: Path) -> None:
    """All `sh run` blocks of a page, one after the other in one shell, as its reader would; no server is there."""
    script = "set -eu\n" + "\n".join(block.text for block in blocks(page, "sh run"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=ROOT,
        env=shell_environment() | {"PATH": path, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def commands_of(page: Path) -> list[str]:
    """Every `manage.py ...` of a page, in blocks and in prose, with continued lines joined."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    return [match["line"].strip() for match in _COMMAND.finditer(text)]


def options_of(parser: ArgumentParser) -> set[str]:
    """The options of a command and of all commands below it."""
    found = set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            found |= {option for below in action.choices.values() for option in options_of(below)}
    return found


@pytest.mark.parametrize("page", [page for page in pages() if commands_of(page)], ids=named)
def test_named_commands_and_options_exist(page: Path) -> None:
    known = get_commands()
    for line in commands_of(page):
        words = shlex.split(re.split(r"[;&>)]| - |, |: ", line)[0].rstrip(".:"))
        assert words[0] in known, f"there is no manage.py {words[0]}"
        command = load_command_class(known[words[0]], words[0]) if isinstance(known[words[0]], str) else known[words[0]]
        options = options_of(command.create_parser("manage.py", words[0]))
        given = [word.partition("=")[0] for word in words[1:] if word.startswith("--")]
        assert [option for option in given if option not in options] == [], line


def test_runnable_blocks_are_marked_as_such():
    """A block that says `run` in another way would be skipped in silence."""
    infos = {block.info for page in pages() for block in blocks(page)}
    assert {info for info in infos if "run" in info.split()[1:]} <= {"sh run"}
    assert Block("sh run", "x\n").info in infos
