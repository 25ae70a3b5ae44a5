"""Sample exports as a test holds them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.core.exports import Manifest, write_sample_exports


@dataclass(frozen=True)
class Sample:
    """What was written, and its truth as read back from the disk."""

    manifest: Manifest
    truth: dict[str, Any]

    def path(self, name: str) -> Path:
        return self.manifest.out_dir / name

    def files(self, contract: str, kind: str = "demo") -> list[dict[str, Any]]:
        return [file for file in self.truth["files"] if file["contract"] == contract and file["set"] == kind]


def make_sample(folder: Path, **options: Any) -> Sample:
    manifest = write_sample_exports(folder, **options)
    return Sample(manifest, json.loads(manifest.truth_path.read_text(encoding="utf-8")))
