"""Kind: what a pixel of simulated exact depth shows."""

from __future__ import annotations

from enum import IntEnum


class Kind(IntEnum):
    """Codes of the store's `kind` layer; a mover is an object that moves more than 0.5 m during its scene."""

    NONE = 0
    GROUND = 1
    STRUCTURE = 2
    STANDING = 3
    LABELLED_MOVER = 4
    UNLABELLED_MOVER = 5
