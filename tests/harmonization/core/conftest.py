"""Property tests are seeded, and take as long as the machine makes them take."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("seeded", deadline=None, derandomize=True)
settings.load_profile("seeded")
