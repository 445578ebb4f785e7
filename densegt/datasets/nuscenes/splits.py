"""nuScenes' own split of its scenes."""

from __future__ import annotations

from densegt.errors import InputError


def official_validation_scenes() -> frozenset[str]:
    """Names of nuScenes' validation scenes.

    Raises:
        InputError: the devkit, which knows them, is not installed.
    """
    try:
        from nuscenes.utils.splits import create_splits_scenes
    except ImportError as error:
        raise InputError(f'nuScenes\' own split: {error}; pip install "densegt[devkit]"') from None
    return frozenset(create_splits_scenes()["val"])
