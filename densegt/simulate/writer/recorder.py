"""Recorder: what the writing of one scene needs, and the rows that every reading adds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.config import SimulateConfig
from densegt.simulate.drive import Drive
from densegt.simulate.writer.drift import Drift
from densegt.simulate.writer.tables import Row, Tables, pose_fields, token

Float64 = NDArray[np.float64]

KEYFRAME_US = 500_000


@dataclass(frozen=True)
class Recorder:
    """What every sensor's writing needs.

    Attributes:
        scene: name; start_us: stamp of the first keyframe; folder: the dataset's.
        sweep_us: duration of a turn; a keyframe is every so many turns as make 0.5 s.
        drift: error of the recorded ego poses.
    """

    config: SimulateConfig
    scene: str
    start_us: int
    sweep_us: int
    folder: Path
    drive: Drive
    drift: Drift

    @property
    def keyframe_every(self) -> int:
        """Turns from one keyframe to the next."""
        return KEYFRAME_US // self.sweep_us

    @property
    def sweeps(self) -> int:
        """How many turns the scene has; the first and, where it fits, the last are keyframes."""
        return sweeps_in(self.config.seconds, self.sweep_us)

    def token(self, *names: object) -> str:
        """A token of this scene."""
        return token(self.config.seed, self.scene, *names)

    def seconds(self, timestamp_us: int) -> float:
        """Time in the world."""
        return (timestamp_us - self.start_us) * 1e-6

    def T_global_ego(self, timestamp_us: int) -> Float64:
        """The true pose (4,4)."""
        T: Float64 = self.drive.ego.T_world_body(np.array([self.seconds(timestamp_us)]))[0]
        return self.drive.T_global_world @ T

    def _nearest_keyframe(self, sweep: int) -> int:
        last = (self.sweeps - 1) // self.keyframe_every
        return min((sweep + self.keyframe_every // 2) // self.keyframe_every, last)

    def add_reading(
        self,
        tables: Tables,
        channel: str,
        timestamp_us: int,
        sweep: int,
        *,
        is_keyframe: bool,
        size_px: tuple[int, int],
    ) -> Row:
        """Rows of sample_data and ego_pose for one reading; a size (width, height) of 0 is a lidar's."""
        own = self.token("sample_data", channel, timestamp_us)
        place = "samples" if is_keyframe else "sweeps"
        camera = size_px != (0, 0)
        row = {
            "token": own,
            "sample_token": self.token("sample", self._nearest_keyframe(sweep)),
            "ego_pose_token": own,
            "calibrated_sensor_token": self.token("calibrated_sensor", channel),
            "timestamp": timestamp_us,
            "fileformat": "jpg" if camera else "pcd",
            "is_key_frame": is_keyframe,
            "height": size_px[1],
            "width": size_px[0],
            "filename": f"{place}/{channel}/{self.scene}__{channel}__{timestamp_us}.{'jpg' if camera else 'pcd.bin'}",
        }
        tables["sample_data"].append(row)
        T = self.drift.apply(self.T_global_ego(timestamp_us), self.seconds(timestamp_us))
        tables["ego_pose"].append({"token": own, "timestamp": timestamp_us, **pose_fields(T)})
        return row


def sweeps_in(seconds: float, sweep_us: int) -> int:
    """How many turns of the lidar fit a scene."""
    return round(seconds * 1e6 / sweep_us) + 1


def add_scene(recorder: Recorder, tables: Tables) -> None:
    """Rows that a scene has once: log, scene and its sensors' calibration."""
    log, samples = recorder.token("log"), tables["sample"]
    tables["log"] = [
        {
            "token": log,
            "logfile": recorder.scene,
            "vehicle": "sim",
            "date_captured": "2020-09-13",
            "location": "simulated",
        }
    ]
    tables["scene"] = [
        {
            "token": recorder.token("scene"),
            "log_token": log,
            "nbr_samples": len(samples),
            "first_sample_token": samples[0]["token"],
            "last_sample_token": samples[-1]["token"],
            "name": recorder.scene,
            "description": f"simulated street, seed {recorder.config.seed}",
        }
    ]
    rig = recorder.drive.rig
    mounts: list[tuple[str, Float64, list[list[float]]]] = [("LIDAR_TOP", rig.T_ego_lidar, [])]
    mounts += [(c.channel, c.T_ego_cam, c.K.tolist()) for c in rig.cameras]
    tables["calibrated_sensor"] = [
        {
            "token": recorder.token("calibrated_sensor", channel),
            "sensor_token": token("sensor", channel),
            **pose_fields(T),
            "camera_intrinsic": K,
        }
        for channel, T, K in mounts
    ]
