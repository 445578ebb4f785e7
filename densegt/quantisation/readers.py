"""What an engine reads of a keyframe, by the kind that its file names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from densegt.quantisation.point_reader import PillarReader, VoxelReader
from densegt.quantisation.view_reader import ViewReader

Reader = VoxelReader | PillarReader | ViewReader
READERS: dict[str, type[Reader]] = {"voxels": VoxelReader, "pillars": PillarReader, "views": ViewReader}


def reader_of(facts: Mapping[str, Any]) -> Reader:
    """The reader that an engine's facts name."""
    return READERS[facts["kind"]](facts)
