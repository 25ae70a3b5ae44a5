"""Tools a planner may call: typed wrappers of services, the same for the language model, REST and MCP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pydantic import BaseModel

from tenants.core.problems import NotFound


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One tool.

    Args:
        name: `snake_case`, unique.
        description: for the model: what it answers and when to use it.
        input_model, output_model: their JSON schemas are what the model sees.
        permission: who may call it.
        read_only: it changes nothing.
        destructive: what it changes cannot be taken back by another call; a person confirms first.
        run: `run(input, user=...)`, calls a service or selector and returns an `output_model`.
    """

    name: str
    description: str
    input_model: type[BaseModel]
    output_model: type[BaseModel]
    permission: str
    run: Callable[..., Any]
    read_only: bool = True
    destructive: bool = False

    def __post_init__(self) -> None:
        if self.read_only and self.destructive:
            raise ValueError(f"the tool {self.name!r} cannot be read-only and destructive")


_tools: dict[str, Tool] = {}
_announced: set[str] = set()


def announce_tools(app: str) -> None:
    """`<app>.tools.register()` will make the app's tools known when somebody asks for tools."""
    _announced.add(app)


def _load() -> None:
    for app in tuple(_announced):
        import_module(f"{app}.tools").register()
        _announced.discard(app)


def register_tool(tool: Tool) -> Tool:
    """Make a tool known.

    Raises:
        ValueError: another tool has that name.
    """
    if _tools.setdefault(tool.name, tool) != tool:
        raise ValueError(f"two tools are named {tool.name!r}")
    return tool


def tool_named(name: str) -> Tool:
    """The tool of that name.

    Raises:
        NotFound: there is none.
    """
    _load()
    try:
        return _tools[name]
    except KeyError:
        raise NotFound(
            f"There is no tool {name!r}.", fix=f"Use one of: {', '.join(sorted(_tools)) or 'none'}."
        ) from None


def tools() -> tuple[Tool, ...]:
    """All tools, by name."""
    _load()
    return tuple(_tools[name] for name in sorted(_tools))
