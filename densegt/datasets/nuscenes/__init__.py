"""All that knows the nuScenes schema."""

from densegt.datasets.nuscenes.reader import NuScenes

__all__ = ["NuScenes"]
