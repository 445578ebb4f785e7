"""The exact voxels of a simulated city as an occupancy store: the truth in the same form as what is made of sweeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from densegt.batch.job import ReportProgress, SceneResult
from densegt.batch.progress import SceneProgress
from densegt.batch.stage_seconds import StageSeconds
from densegt.datasets.scene import Sweep
from densegt.depth.store import ImageRecord, SceneReader
from densegt.errors import InputError
from densegt.occupancy.evaluate import exact_keyframe
from densegt.occupancy.exact import ExactScene
from densegt.occupancy.figures import CLIPPED
from densegt.occupancy.grid import VoxelGrid
from densegt.occupancy.job import OccupancyJob
from densegt.occupancy.store import MoverName, OccupancyWriter
from densegt.occupancy.voxels import GridFrame, Occupancy, State

# Raise it with every change after which equal worlds give other voxels.
EXACT_ALGORITHM = 1


@dataclass(frozen=True)
class ExactOccupancyJob(OccupancyJob):
    """The exact voxels of a simulated city's scenes; nothing of its sweeps is used."""

    def check(self) -> None:
        """Open the recording.

        Raises:
            InputError: it cannot be opened, or has no exact depth.
        """
        super().check()
        if not (self.opened.root / "exact").is_dir():
            raise InputError(f"{self.opened.root}: no exact/ in it; exact voxels are those of a simulated city")

    def saved_config(self, scene: str) -> dict[str, Any]:
        """What a scene's file keeps as `config`."""
        return {"algorithm": f"exact.{EXACT_ALGORITHM}", "grid": self.grid.described()}

    def process(self, scene: str, report: ReportProgress) -> SceneResult:
        """Make a scene's file, whole or not at all."""
        config, digest = self.saved_config(scene), self.input_digest(scene)
        new_writer = partial(OccupancyWriter, self.out, scene, config, input_digest=digest, overwrite=True)
        sweeps = self.opened.scene(scene, keyframes_only=True).sweeps
        return exact_to_store(self.opened.root, scene, sweeps, self.grid, new_writer, report=report)


def exact_to_store(
    dataroot: Path,
    scene: str,
    sweeps: tuple[Sweep, ...],
    grid: VoxelGrid,
    new_writer: Callable[..., OccupancyWriter],
    *,
    report: ReportProgress = lambda progress: None,
) -> SceneResult:
    """Write the exact voxels of a scene's keyframes.

    Args:
        sweeps: of the keyframes.

    Raises:
        InputError: the scene is of no simulated city, or of another densegt's.
    """
    seconds, occupied = StageSeconds("world"), 0
    exact, images = ExactScene(dataroot, scene), list(SceneReader(dataroot / "exact" / f"{scene}.h5"))
    with new_writer() as writer:
        writer.describe(grid, [MoverName(str(k + 1), thing.category) for k, thing in enumerate(exact.world.things)])
        seconds.enter("voxels")
        for count, sweep in enumerate(sweeps, start=1):
            mine = [image for image in images if image.sample_token == sweep.sample_token]
            voxels = exact_occupancy(exact, grid, sweep, mine)
            writer.write(voxels, sweep_token=sweep.token, filename=sweep.path.name)
            occupied += int(voxels.occupied.sum())
            report(SceneProgress(count, count))
    return SceneResult(
        name=scene,
        status="done",
        path=writer.path,
        images=len(sweeps),
        coverage=1.0,
        keyframes=len(sweeps),
        bytes=writer.path.stat().st_size,
        counts={"sweeps": 0, "occupied_voxels": occupied},
        seconds=seconds.end(),
    )


def exact_occupancy(exact: ExactScene, grid: VoxelGrid, sweep: Sweep, images: list[ImageRecord]) -> Occupancy:
    """The exact voxels of a keyframe.

    Unobserved is what surface only clips at a corner; what is inside of things is free. `mover` is one less than the
    object's number, of what moves; `hits` are the surface in thousandths of a voxel's face.
    """
    truth = exact_keyframe(exact, grid, sweep.timestamp_us, images)
    there, empty = truth.voxels.area >= CLIPPED, truth.voxels.area == 0
    state = np.where(there, State.OCCUPIED, np.where(empty, State.FREE, State.UNOBSERVED)).astype(np.uint8)
    moves = there & truth.voxels.moves
    return Occupancy(
        frame=GridFrame(grid, sweep.sample_token, sweep.timestamp_us, 0, exact.T_global_grid(grid, sweep.timestamp_us)),
        state=state,
        semantics=np.where(there, truth.voxels.code, 0).astype(np.uint8),
        hits=np.minimum(truth.voxels.area * 1000, np.iinfo(np.uint16).max).astype(np.uint16),
        passes=np.zeros(grid.shape, np.uint16),
        mover=np.where(moves, truth.voxels.object_id.astype(np.int16) - 1, -1).astype(np.int16),
        mask_camera=truth.seen,
        confidence=(state != State.UNOBSERVED).astype(np.float32),
        flow_mps=np.where(moves[..., None], truth.voxels.flow_mps, 0).astype(np.float32),
    )
