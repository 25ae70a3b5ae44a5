"""The plan of an experiment as text that is always the same for the same plan; its hash is that of `analysis_plan`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

FORMAT: Final = "rmn-experiment-plan/1"


def canonical_plan(plan: Mapping[str, Any]) -> str:
    """The plan as JSON with sorted keys and no blanks, so that equal plans are equal texts."""
    return json.dumps(plan, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
