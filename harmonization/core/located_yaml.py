"""YAML read into plain values with the line of every value, and nothing that YAML can do besides.

Mapping contracts come from people's uploads, so the reader refuses what a contract never needs: anchors and aliases
(which can expand a few bytes into gigabytes), tags (which can construct objects), duplicate keys (of which one would
be lost in silence), deep nesting and large documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import yaml
from yaml._yaml import CParser
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from tenants.core.problems import InvalidInput, TooLarge

SIZE_LIMIT: Final = 64 * 1024
DEPTH_LIMIT: Final = 12
_PREFIX: Final = "tag:yaml.org,2002:"

Path = tuple[str | int, ...]


class InvalidContract(InvalidInput):
    """A mapping contract that breaks a rule; `where` names the line."""

    code = "invalid-contract"
    title = "The mapping contract is not valid"


@dataclass(frozen=True, slots=True)
class LocatedDocument:
    """The document's value and, for each path into it, the line (from 1) it stands on."""

    value: Any
    lines: dict[Path, int]

    def line_of(self, path: tuple[Any, ...]) -> int:
        """The line of `path`, or of the nearest thing around it that is in the document.

        Steps that are not in the document (the tag a validator inserts for a union member) are passed over.
        """
        found: Path = ()
        for step in path:
            if (*found, step) in self.lines:
                found = (*found, step)
        return self.lines[found]


class _PlainLoader(Composer, CParser, SafeConstructor, Resolver):
    """Composes nodes only; dates stay text, for the contract says itself what is a date.

    Events come from libyaml, which reads ten times as fast as the parser in Python; they are composed here, where
    what a contract never needs is refused before it is built.
    """

    depth = 0

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        Composer.__init__(self)
        SafeConstructor.__init__(self)
        Resolver.__init__(self)

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise InvalidContract(
                "Anchors and aliases are not allowed.", where=f"line {line}", fix="Write the value out in full."
            )
        if getattr(event, "tag", None) is not None:
            raise InvalidContract(f"The tag {event.tag!r} is not allowed.", where=f"line {line}", fix="Remove the tag.")
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            raise InvalidContract(
                f"Nested deeper than {DEPTH_LIMIT} levels.", where=f"line {line}", fix="Flatten the document."
            )
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _PREFIX + "timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_located_yaml(text: str) -> LocatedDocument:
    """Parse one YAML document.

    Raises:
        TooLarge: more than `SIZE_LIMIT` bytes.
        InvalidContract: not YAML, or YAML with anchors, tags, duplicate keys or deep nesting; names the line.
    """
    if len(text.encode()) > SIZE_LIMIT:
        raise TooLarge(
            f"The contract has more than {SIZE_LIMIT // 1024} KiB.",
            fix="A contract describes one report; split it or shorten its examples.",
        )
    lines: dict[Path, int] = {}
    loader = None
    try:
        loader = _PlainLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise InvalidContract("The contract is empty.", where="line 1", fix="Start from a shipped contract.")
        value = _plain(loader, node, (), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InvalidContract(
            f"Not readable as YAML: {error.problem or error.context}.",
            where=f"line {mark.line + 1 if mark else 1}",
            fix="Correct the syntax at this line.",
        ) from error
    except yaml.reader.ReaderError as error:
        raise InvalidContract(
            f"Not readable as YAML: {error.reason}.",
            where=f"line {text.count(chr(10), 0, error.position) + 1}",
            fix="Save the file as plain UTF-8 text.",
        ) from error
    finally:
        if loader is not None:
            loader.dispose()
    return LocatedDocument(value, lines)


def _plain(loader: _PlainLoader, node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == _PREFIX + "merge":
                raise InvalidContract("A key must be plain text.", where=f"line {line}", fix="Use a name as the key.")
            key = str(key_node.value)
            if key in mapping:
                raise InvalidContract(
                    f"The key {key!r} stands here a second time.", where=f"line {line}", fix="Keep one of the two."
                )
            lines[(*path, key)] = line
            mapping[key] = _plain(loader, value_node, (*path, key), lines)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, child, (*path, index), lines) for index, child in enumerate(node.value)]
    return loader.construct_object(node)
