"""The network that ships: `network.safetensors`, and in `network.json` the command and the data that made it."""

from __future__ import annotations

from pathlib import Path

SHIPPED = Path(__file__).with_name("network.safetensors")
CLASSICAL_CALIBRATION = SHIPPED.with_name("classical.calibration.json")
