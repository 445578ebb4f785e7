"""Labels of `densegt autolabel` on the page: shapes and boxes in the cloud, boxes over the images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.autolabel.job import knowledge
from densegt.autolabel.labels import Label
from densegt.autolabel.publish import labels_path, prior_path, verified_labels
from densegt.depth.depth_map import Source
from densegt.depth.store import ImageRecord
from densegt.geometry import boxes as box_geometry
from densegt.geometry import se3
from densegt.report.draw import SOURCE_COLOURS, Picture
from densegt.shapes.mesh import outline

Float64 = NDArray[np.float64]

# Of the corners as `box_geometry.corners` has them: around ahead, around behind, and between.
EDGES = [(k + a, k + (a + 1) % 4) for k in (0, 4) for a in range(4)] + [(a, a + 4) for a in range(4)]
NEAREST_M = 0.3


@dataclass(frozen=True)
class ShownLabel:
    """A label on the page.

    Attributes:
        lines_box: (N,3) m, ends of lines on its shape in its box's frame; none where it has no shape.
        T_origin_box: (M,4,4) at the keyframes in global minus origin; NaN where it cannot tell.
    """

    label: Label
    lines_box: Float64
    T_origin_box: Float64


@dataclass(frozen=True)
class ShownSceneLabels:
    """A scene's verified labels."""

    labels: tuple[Label, ...]
    prior: Path | None

    @classmethod
    def read(cls, folder: Path, scene: str) -> ShownSceneLabels:
        """From a folder of `densegt autolabel`.

        Raises:
            InputError: there is none of this scene.
        """
        path = labels_path(folder, scene)
        return cls(verified_labels(path), prior_path(path))

    def draw(self, image: Picture, record: ImageRecord) -> None:
        """Boxes over a camera's image, in place, where they are at its exposure."""
        import cv2

        t_us = np.array([float(record.timestamp_us)])
        K = record.K.copy()
        K[:2] *= image.shape[1] / record.depth_m.shape[1]
        for label in self.labels:
            track = label.continuous
            if record.sample_token in label.sample_tokens and track.known_at(t_us)[0]:
                T = se3.inverse(record.T_global_cam) @ track.poses_at(t_us)[0]
                xyz = box_geometry.corners(T, label.size_lwh_m)
                for a, b in EDGES:
                    ends = _before_camera(xyz[a], xyz[b])
                    if ends is not None:
                        uv = (K @ ends.T).T
                        (x0, y0), (x1, y1) = np.clip(uv[:, :2] / uv[:, 2:], -1e4, 1e4).round().astype(int).tolist()
                        cv2.line(image, (x0, y0), (x1, y1), SOURCE_COLOURS[Source.SHAPE], 1, cv2.LINE_AA)

    def in_cloud(self, origin_global_m: Float64, keyframes_us: NDArray[np.int64]) -> list[ShownLabel]:
        """Where labels are at the keyframes, and lines on their shapes."""
        decoder, t_us = knowledge(self.prior).prior.decoder, keyframes_us.astype(np.float64)
        out = []
        for label in self.labels:
            track = label.continuous
            T = track.poses_at(t_us)
            T[:, :3, 3] -= origin_global_m
            T[~track.known_at(t_us)] = np.nan
            lines = outline(decoder, label.code, label.size_lwh_m) if label.family else np.zeros((0, 3))
            out.append(ShownLabel(label, se3.apply(label.T_box_shape, lines), T))
        return out


def _before_camera(a: Float64, b: Float64) -> Float64 | None:
    """The part (2,3) of a line that lies before the camera; None where none does."""
    if max(a[2], b[2]) <= NEAREST_M:
        return None
    if min(a[2], b[2]) < NEAREST_M:
        near, far = (a, b) if a[2] < b[2] else (b, a)
        a, b = near + (far - near) * (NEAREST_M - near[2]) / (far[2] - near[2]), far
    return np.stack([a, b])
