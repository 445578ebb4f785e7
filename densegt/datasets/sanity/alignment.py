"""Does the lidar project onto the images' edges, better than beside them?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.datasets.decode_image import decode_grey
from densegt.datasets.sanity.finding import SanityFinding
from densegt.datasets.sanity.sample import SceneSample
from densegt.datasets.scene import Camera, Points, Sweep
from densegt.errors import InputError
from densegt.geometry import camera as pinhole
from densegt.geometry import se3
from densegt.geometry.distortion import undistort

CHECK = "alignment"
# Images are looked at in this width.
WIDTH_PX = 480
# A return is an edge if its neighbour in the ring lies farther by this share of its range.
JUMP = 0.15
ADVICE = "check K, T_ego_cam, lens distortion, stamps, and which image belongs to which camera and keyframe"
MIN_EDGES, MIN_PROMINENCE, MIN_PROMINENCE_OF_ALL = 150, 2.0, 4.0
SHIFTS_PX = np.arange(-48, 49, 4)


@dataclass(frozen=True)
class EdgeScore:
    """Mean strength of the image's edges where the lidar sees edges, at sideways shifts.

    Attributes:
        strength: (S,), at SHIFTS_PX.
        count: how many edges there were.
    """

    strength: NDArray[np.float64]
    count: int

    @property
    def prominence(self) -> float:
        """How far the strength without a shift stands out, in standard deviations of that at other shifts."""
        far = np.abs(SHIFTS_PX) > 12
        spread = max(float(self.strength[far].std()), 0.02)
        return float((self.strength[np.abs(SHIFTS_PX) <= 4].max() - self.strength[far].mean()) / spread)

    @property
    def best_px(self) -> int:
        """The shift at which they fit best."""
        return int(SHIFTS_PX[np.argmax(self.strength)])


def edge_score(camera: Camera, sweep: Sweep, points: Points) -> EdgeScore | None:
    """One image's score; None where the image cannot be read or holds too few edges."""
    try:
        image: NDArray[Any] = decode_grey(camera.image_path, (camera.width_px, camera.height_px))
    except InputError:
        return None
    if camera.distortion is not None:
        image = undistort(image, camera.distortion)
    scale = WIDTH_PX / camera.width_px
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.float32)
    strength = np.abs(cv2.Sobel(cv2.GaussianBlur(image, (0, 0), 1.0), cv2.CV_32F, 1, 0))
    # Relative to what is usual round about: a facade full of edges must not outweigh all else.
    strength = strength / (cv2.blur(strength, (61, 21)) + 4.0)
    edges = edge_points(points)
    T_cam_lidar = se3.inverse(camera.T_global_cam) @ sweep.T_global_lidar
    uv, z_m = pinhole.project(camera.K, se3.apply(T_cam_lidar, edges))
    uv = uv[z_m > 1.0] * scale
    row, col = np.floor(uv[:, 1] + 0.5), np.floor(uv[:, 0] + 0.5)
    reach = SHIFTS_PX[-1]
    inside = (col >= reach) & (col < image.shape[1] - reach) & (row >= 0) & (row < image.shape[0])
    row, col = row[inside].astype(np.intp), col[inside].astype(np.intp)
    if len(row) < 30:
        return None
    return EdgeScore(np.array([strength[row, col + shift].mean() for shift in SHIFTS_PX], dtype=np.float64), len(row))


def edge_points(points: Points) -> NDArray[np.float32]:
    """Returns (M,3) beside which their ring goes on farther away."""
    xyz = points.xyz_lidar
    range_m = np.linalg.norm(xyz, axis=1)
    azimuth = np.arctan2(xyz[:, 1], xyz[:, 0])
    order = np.lexsort((azimuth, points.ring))
    order = order[range_m[order] > 2.0]
    r, ring, a = range_m[order], points.ring[order], azimuth[order]
    beside = (np.diff(ring) == 0) & (np.diff(a) < 0.03)
    jump = np.diff(r) / np.minimum(r[1:], r[:-1])
    edge = np.zeros(len(order), dtype=np.bool_)
    edge[:-1] |= beside & (jump > JUMP)
    edge[1:] |= beside & (jump < -JUMP)
    found: NDArray[np.float32] = xyz[order[edge]]
    return found


def check_alignment(sample: SceneSample) -> Iterator[SanityFinding]:
    """Scores pooled over the images of each camera, and of all where every camera has too few edges."""
    scores: dict[str, list[EdgeScore]] = {}
    for camera, sweep, points in sample.images:
        score = edge_score(camera, sweep, points)
        if score is not None:
            scores.setdefault(camera.channel, []).append(score)
    told = False
    for channel, mine in scores.items():
        pooled = pool(mine)
        # One image may show little; a wrong camera shows in none.
        nowhere = len(mine) > 1 and max(score.prominence for score in mine) < 1.5 * MIN_PROMINENCE
        if nowhere and pooled.count >= MIN_EDGES and pooled.prominence < MIN_PROMINENCE:
            told = True
            yield SanityFinding(CHECK, f"camera {channel}", _facts(pooled), ADVICE)
    everything = [score for mine in scores.values() for score in mine]
    if everything and not told:
        pooled = pool(everything)
        if pooled.count >= MIN_EDGES and pooled.prominence < MIN_PROMINENCE_OF_ALL:
            yield SanityFinding(CHECK, "all cameras", _facts(pooled), ADVICE)


def pool(scores: Sequence[EdgeScore]) -> EdgeScore:
    """The mean over several images, by their edges."""
    count = sum(score.count for score in scores)
    return EdgeScore(sum((s.strength * s.count for s in scores), start=np.zeros(len(SHIFTS_PX))) / count, count)


def _facts(score: EdgeScore) -> str:
    beside = np.abs(SHIFTS_PX - score.best_px) > 12
    spread = max(float(score.strength[beside].std()), 0.02)
    stands_out = (score.strength.max() - score.strength[beside].mean()) / spread
    if stands_out > 6:
        where = f"{abs(score.best_px)} of {WIDTH_PX} px {'right' if score.best_px > 0 else 'left'} of where they are"
        return f"the lidar's edges would lie on the image's edges {where}"
    return f"the lidar's edges ({score.count}) lie on the image's edges no better than beside them"
