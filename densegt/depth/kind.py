"""Kind: what a pixel of simulated exact depth shows."""

from __future__ import annotations

from enum import IntEnum


class Kind(IntEnum):
    """Codes of the store's `kind` layer; MOVER is a dynamic object, one that moves more than 0.5 m during its scene.

    The last three are the city's: labelled people whether they move or not, panes of glass on anything that has not an
    unlabelled dynamic object's code, and what a beam may pass between, such as leaves.
    """

    NONE = 0
    GROUND = 1
    STRUCTURE = 2
    STANDING = 3
    LABELLED_MOVER = 4
    UNLABELLED_MOVER = 5
    PERSON = 6
    GLASS = 7
    POROUS = 8
