"""Keyframes that have all of the cameras that most have; without torch."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from densegt.datasets.keyframes import Keyframe
from densegt.errors import InputError

_LOG = logging.getLogger(__name__)


def with_all_cameras(keyframes: Sequence[Keyframe], root: Path) -> tuple[tuple[str, ...], list[Keyframe]]:
    """Channels that most keyframes have, and the keyframes that have them all, or they could not be stacked.

    Raises:
        InputError: there is no keyframe.
    """
    if not keyframes:
        raise InputError(f"{root}: no keyframe in it")
    own = [tuple(camera.channel for camera in keyframe.cameras) for keyframe in keyframes]
    channels = Counter(own).most_common(1)[0][0]
    kept = [k for k, has in zip(keyframes, own, strict=True) if set(channels) <= set(has)]
    if len(kept) < len(keyframes):
        lost = next(k for k, has in zip(keyframes, own, strict=True) if not set(channels) <= set(has))
        what = f"{len(keyframes) - len(kept)} of {len(keyframes)} keyframes lack a camera of {', '.join(channels)}"
        _LOG.warning("%s: %s, and are left out; the first is %s of %s", root, what, lost.sample_token, lost.scene)
    return channels, [_only(keyframe, channels) for keyframe in kept]


def _only(keyframe: Keyframe, channels: Sequence[str]) -> Keyframe:
    """A keyframe with some of its cameras."""
    if len(keyframe.cameras) == len(channels):
        return keyframe
    return replace(keyframe, cameras=tuple(camera for camera in keyframe.cameras if camera.channel in channels))
