"""Settings from a YAML file: flat keys, each the name of a field of `rmn_site.config.Config`.

The file is turned into the environment variables it stands for, so everything that reads settings reads them in one
way and a variable that is set decides over the file.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

_NULL = "tag:yaml.org,2002:null"


class ConfigurationError(RuntimeError):
    """The environment does not describe a system that may start."""


def read_config_file(path: Path, fields: Collection[str]) -> dict[str, str]:
    """The settings of a file as text, lists joined by commas; an empty value is a setting left to its default.

    Raises:
        ConfigurationError: names the file and the line of what is not a setting, is given twice, or is no plain value.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"RMN_CONFIG names {path}, which cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if root is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise ConfigurationError(f"{path} must hold one setting a line, such as `port: 8000`")
    values: dict[str, str] = {}
    seen: set[str] = set()
    for key, value in root.value:
        name, place = str(key.value), f"{path}, line {key.start_mark.line + 1}"
        if name not in fields:
            raise ConfigurationError(
                f"{place}: there is no setting {name!r}; docs/operations.md lists them{_hint(name)}"
            )
        if name in seen:
            raise ConfigurationError(f"{place}: {name} is given twice; keep one")
        seen.add(name)
        text = _text(value, f"{place}: {name}")
        if text is not None:
            values[name] = text
    return values


def _text(node: Any, place: str) -> str | None:
    if isinstance(node, yaml.ScalarNode):
        # The text as it stands, not what YAML makes of it: the setting's own type decides.
        return None if node.tag == _NULL else str(node.value)
    if isinstance(node, yaml.SequenceNode) and all(isinstance(item, yaml.ScalarNode) for item in node.value):
        return ",".join(item.value for item in node.value)
    raise ConfigurationError(f"{place} must be one value or a list of values")


def _hint(name: str) -> str:
    return f" without the prefix, in small letters ({name[4:].lower()!r})" if name.startswith("RMN_") else ""
