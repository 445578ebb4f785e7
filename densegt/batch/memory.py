"""Memory of a scene, and how many scenes fit at the same time.

    bytes of a scene = FIXED_BYTES + POINT_BYTES x points of its sweeps

A point takes 60 bytes as a surfel, and what asks whether it moves holds a few numbers of each beside it; the largest
moment is measured by `benchmarks/speed/speed.py`. It does not depend on how many scenes there are.
"""

from __future__ import annotations

from collections.abc import Sequence

from densegt.datasets.recording import Recording
from densegt.errors import InputError

# Python with numpy, numba and HDF5, the tables' index, and one image's grids at 1600x900.
FIXED_BYTES = 600 << 20
POINT_BYTES = 190


def scene_bytes(points: int) -> int:
    """Peak memory of a process that accumulates a scene of so many points."""
    return FIXED_BYTES + POINT_BYTES * points


def largest_bytes(recording: Recording, names: Sequence[str]) -> tuple[int, str]:
    """Peak memory of the largest of some scenes, estimated from its point count, and its name."""
    return max((scene_bytes(recording.point_count(name)), name) for name in names)


def workers_within(memory_bytes: int, largest: tuple[int, str], wanted: int) -> int:
    """Number of workers, at most `wanted`, that fit into the memory.

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
