"""Scenes for the tests of the motion network."""

from __future__ import annotations

from pathlib import Path

import pytest

from densegt.accumulation.config import AccumulateConfig
from densegt.datasets import RecordingPath
from densegt.motion_net.scene_data import SceneData, read_scenes


@pytest.fixture(scope="session")
def scene(tiny_dataset: Path) -> SceneData:
    """The tiny world with exact labels; to read."""
    (data,) = read_scenes([RecordingPath(tiny_dataset)], "exact", AccumulateConfig(), print)
    return data
