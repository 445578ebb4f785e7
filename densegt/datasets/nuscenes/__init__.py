"""All that knows the nuScenes schema."""

from densegt.datasets.nuscenes.scene import NuScenes

__all__ = ["NuScenes"]
