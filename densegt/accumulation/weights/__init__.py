"""The confidence model that ships: `confidence.json`, with the command and the worlds it was fitted to."""

from __future__ import annotations

from pathlib import Path

SHIPPED = Path(__file__).with_name("confidence.json")
