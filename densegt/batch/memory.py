"""How much memory a scene takes, and how many of them may be at work in so much.

    bytes of a scene = FIXED_BYTES + POINT_BYTES x points of its sweeps

A point takes 60 bytes as a surfel, and what asks whether it moves holds a few numbers of each beside it; the largest
moment is told by `benchmarks/speed/speed.py`. It does not depend on how many scenes there are.
"""

from __future__ import annotations

from collections.abc import Sequence

from densegt.datasets.recording import Recording
from densegt.errors import InputError

# Python with numpy, numba and HDF5, the tables' index, and one image's grids at 1600x900.
FIXED_BYTES = 600 << 20
POINT_BYTES = 190


def scene_bytes(points: int) -> int:
    """The most that a process at work on a scene of so many points takes."""
    return FIXED_BYTES + POINT_BYTES * points


def largest_bytes(recording: Recording, names: Sequence[str]) -> tuple[int, str]:
    """What the largest of some scenes takes, told from the sizes of its sweeps' files, and its name."""
    return max((scene_bytes(recording.point_count(name)), name) for name in names)


def workers_within(memory_bytes: int, largest: tuple[int, str], wanted: int) -> int:
    """As many workers as are wanted and fit.

    Raises:
        InputError: the largest scene alone does not.
    """
    need, name = largest
    if need > memory_bytes:
        raise InputError(
            f"--memory {memory_bytes / 2**30:.1f} GiB: {name} alone needs about {need / 2**30:.1f} GiB. "
            "Allow as much, or leave it out with --scene"
        )
    return min(wanted, memory_bytes // need)
