"""Models that ship: `confidence.json` and `motion_fusion.json`, each with how it was made."""

from __future__ import annotations

from pathlib import Path

SHIPPED = Path(__file__).with_name("confidence.json")
MOTION_FUSION = SHIPPED.with_name("motion_fusion.json")
