"""An analysis plan as text that is always the same for the same plan, and its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical_plan(plan: Mapping[str, Any]) -> str:
    """The plan as JSON with sorted keys and no space, so that equal plans are equal texts."""
    return json.dumps(plan, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def plan_sha256(plan: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical text, in hexadecimal."""
    return hashlib.sha256(canonical_plan(plan).encode()).hexdigest()
