"""A recording in a format of its own: the whole of the protocol, as small as it gets.

`toy.json` holds everything but points and images, in the words of `densegt.datasets.scene`; a sweep is an .npz file.
"""

import json
from hashlib import sha256

import numpy as np

from densegt.datasets.keyframes import keyframes_of
from densegt.datasets.scene import Camera, Lidar, ObjectKind, Points, Scene, Sweep, Track
from densegt.errors import InputError

CAMERA_ARRAYS = ("K", "T_ego_cam", "T_global_ego")


class ToyRecording:
    """Reads it; `densegt --format tests.toy.toy_recording:ToyRecording` finds it by that name."""

    def __init__(self, root, version=None, options=None):
        self.root, self.source = root, root / "toy.json"
        if not self.source.is_file():
            raise InputError(f"{self.source}: no such file")
        self._scenes = json.loads(self.source.read_text())
        self.scene_names = list(self._scenes)

    def scene(self, name, *, cameras=(), keyframes_only=False):
        told = self._scenes[name]
        lidars = {channel: Lidar(channel, np.array(T)) for channel, T in told["lidars"].items()}
        sweeps = (
            Sweep(**{**s, "path": self.root / s["path"], "lidar": lidars[s["lidar"]],
                     "T_global_ego": np.array(s["T_global_ego"])})
            for s in told["sweeps"] if s["is_keyframe"] or not keyframes_only
        )  # fmt: skip
        return Scene(
            name, tuple(lidars.values()), tuple(sweeps),
            tuple(
                Camera(**{**c, **{k: np.array(c[k]) for k in CAMERA_ARRAYS}, "image_path": self.root / c["filename"]})
                for c in told["cameras"] if not cameras or c["channel"] in cameras
            ),
            tuple(
                Track(t["token"], t["category"], ObjectKind(t["kind"]), *map(np.array, t["knots"]))
                for t in told["tracks"]
            ),
            self.read_points,
        )  # fmt: skip

    def keyframes(self, name):
        return keyframes_of(self.scene(name, keyframes_only=True), lambda category: category)

    def keyframe_count(self, name):
        return len({sweep["sample_token"] for sweep in self._scenes[name]["sweeps"] if sweep["is_keyframe"]})

    def steps(self, name):
        return len(self._scenes[name]["sweeps"]) + len(self._scenes[name]["cameras"])

    def point_count(self, name):
        return 1000 * len(self._scenes[name]["sweeps"])

    def fingerprint(self, name):
        return sha256(json.dumps(self._scenes[name]).encode()).hexdigest()

    def read_points(self, sweep):
        with np.load(sweep.path) as file:
            return Points(*(file[column] for column in ("xyz_lidar", "intensity", "ring", "time_s")))

    def validation_scenes(self):
        return frozenset(self.scene_names[-1:])
