"""nuScenes' own split of its scenes."""

from __future__ import annotations

from densegt.errors import InputError
from densegt.install_hint import install_command


def official_validation_scenes() -> frozenset[str]:
    """Names of nuScenes' validation scenes.

    Raises:
        InputError: the devkit, which knows them, is not installed.
    """
    try:
        from nuscenes.utils.splits import create_splits_scenes
    except ImportError as error:
        raise InputError(f"nuScenes' own split: {error}; {install_command('devkit')}") from None
    return frozenset(create_splits_scenes()["val"])
