"""Proposals from images: what was measured in the frustum of a 2D box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.motion.discovery.candidates import clusters
from densegt.autolabel.boxes_2d import VEHICLE_KINDS, Box2D, ImageObjects
from densegt.autolabel.evidence import SceneEvidence
from densegt.autolabel.object_evidence import turned
from densegt.autolabel.proposals import TEMPLATES, Proposal
from densegt.datasets.scene import Camera
from densegt.geometry import camera as pinhole
from densegt.geometry import se3

Float64 = NDArray[np.float64]

# Sweeps within this of an exposure show what the image shows, and what moves has not gone far.
WITHIN_S = 0.06
LEAST_M, HIGHEST_M, FARTHEST_M = 0.3, 4.0, 70.0
LINK_M, FEWEST = 0.7, 3
OF_KIND = {"car": TEMPLATES[0], "truck": TEMPLATES[2], "bus": TEMPLATES[3]}
# Longer than this the longer of an object's visible sides is its length.
SIDE_M = 2.5
# Proposals of several images this near to each other are one.
SAME_M, SAME_RAD = 1.2, 0.35


@dataclass(frozen=True)
class FrustumCluster:
    """Points (N,2) m in global minus origin, seen from above, of what a 2D box shows; and from where (2,) m."""

    box: Box2D
    xy: Float64
    eye: Float64


def frustum_proposals(evidence: SceneEvidence, objects: ImageObjects) -> list[Proposal]:
    """Places of vehicles in images that no mover's track explains, those of most points first."""
    found: list[Proposal] = []
    clustered = [
        cluster
        for camera in evidence.scene.cameras
        for cluster in camera_clusters(evidence, camera, objects.of(camera) or ())
    ]
    for cluster in sorted(clustered, key=lambda c: -len(c.xy)):
        for proposal in outlines(cluster):
            if not any(_same(proposal, other) for other in found):
                found.append(proposal)
    return found


def _same(a: Proposal, b: Proposal) -> bool:
    return bool(np.hypot(a.x - b.x, a.y - b.y) < SAME_M and abs(np.sin(a.yaw - b.yaw)) < SAME_RAD)


def camera_clusters(evidence: SceneEvidence, camera: Camera, boxes: tuple[Box2D, ...]) -> list[FrustumCluster]:
    """Of each vehicle in an image, the largest cluster of what was measured in its frustum and is on no track."""
    wanted = [box for box in boxes if box.kind in VEHICLE_KINDS]
    if not wanted:
        return []
    xyz = _points_about(evidence, camera)
    T_cam = se3.inverse(camera.T_global_cam)
    uv, _ = pinhole.project(camera.K, se3.apply(T_cam, xyz + evidence.measured.origin_global_m))
    eye = camera.T_global_cam[:2, 3] - evidence.measured.origin_global_m[:2]
    out = []
    for box in wanted:
        rows = np.flatnonzero(_shown(uv, box, camera))
        if len(rows) < FEWEST:
            continue
        label = clusters(xyz[rows].astype(np.float32), np.zeros(len(rows), np.int32), LINK_M)
        members = rows[label == np.bincount(label).argmax()]
        if len(members) >= FEWEST and not _on_track(evidence, xyz[members], camera.timestamp_us):
            out.append(FrustumCluster(box, xyz[members, :2], eye))
    return out


def _points_about(evidence: SceneEvidence, camera: Camera) -> Float64:
    """Points (N,3) m in global minus origin above the ground, measured about an exposure."""
    measured = evidence.measured
    exposed_s = (camera.timestamp_us - measured.start_us) * 1e-6
    away = np.abs(measured.middle_s - exposed_s)
    sweeps = np.flatnonzero(away <= max(WITHIN_S, float(away.min())))
    rows = np.concatenate([np.arange(measured.first[k], measured.first[k + 1]) for k in sweeps])
    rows = rows[~measured.mixed[rows]]
    xyz = measured.surfels.xyz[rows].astype(np.float64)
    h = xyz[:, 2] - evidence.ground.under(xyz[:, :2])
    eye = camera.T_global_cam[:2, 3] - measured.origin_global_m[:2]
    near = np.linalg.norm(xyz[:, :2] - eye, axis=1) < FARTHEST_M
    out: Float64 = xyz[near & (h > LEAST_M) & (h < HIGHEST_M)]
    return out


def _shown(uv: Float64, box: Box2D, camera: Camera) -> NDArray[np.bool_]:
    """Which places (N,2) px lie on an object."""
    with np.errstate(invalid="ignore"):
        inside = (uv[:, 0] >= box.x0) & (uv[:, 0] <= box.x1) & (uv[:, 1] >= box.y0) & (uv[:, 1] <= box.y1)
    mask = box.mask(camera.width_px, camera.height_px)
    if mask is not None:
        rows = np.flatnonzero(inside)
        u, v = np.floor(uv[rows] + 0.5).astype(np.int64).T
        ok = (u >= 0) & (v >= 0) & (u < camera.width_px) & (v < camera.height_px)
        ok[ok] = mask[v[ok], u[ok]]
        inside[rows] = ok
    return inside


def _on_track(evidence: SceneEvidence, xyz: Float64, at_us: int) -> bool:
    """Whether points (N,3) are those of an object that was found moving."""
    t_us = np.array([float(at_us)])
    for track, _ in evidence.movers:
        if track.known_at(t_us)[0]:
            T = track.poses_at(t_us)[0]
            T[:3, 3] -= evidence.measured.origin_global_m
            inside = (np.abs(se3.apply(se3.inverse(T), xyz)) < track.size_lwh_m / 2 + 0.6).all(axis=1)
            if inside.mean() > 0.4:
                return True
    return False


def outlines(cluster: FrustumCluster) -> list[Proposal]:
    """A vehicle's outline behind the sides that were seen, along the longer one, or along either."""
    yaw = corner_yaw(cluster.xy)
    low, high, eye = _bounds(cluster, yaw)
    size = high - low
    along = [yaw, yaw + np.pi / 2] if size.max() < SIDE_M else [yaw if size[0] >= size[1] else yaw + np.pi / 2]
    template = OF_KIND[cluster.box.kind]
    out = []
    for angle in along:
        low, high, eye = _bounds(cluster, angle)
        whole = np.array([template.length_m, template.width_m])
        # What is seen is near to the eye; what is not lies behind it. From amid two sides, on both.
        middle = np.where(eye < low, low + whole / 2, np.where(eye > high, high - whole / 2, (low + high) / 2))
        xy = turned(middle[None], angle)[0]
        out.append(Proposal(float(xy[0]), float(xy[1]), float(angle % np.pi), template, 0.0))
    return out


def _bounds(cluster: FrustumCluster, yaw: float) -> tuple[Float64, Float64, Float64]:
    """Lowest and highest place, and the eye, in axes turned by `yaw`."""
    p, eye = turned(cluster.xy, -yaw), turned(cluster.eye[None], -yaw)[0]
    low, high = np.quantile(p, [0.02, 0.98], axis=0)
    return low, high, eye


def corner_yaw(xy: Float64) -> float:
    """Yaw within a quarter turn of the rectangle whose sides points (N,2) lie nearest to (X. Zhang et al., 2017)."""
    best, best_yaw = -np.inf, 0.0
    for yaw in np.deg2rad(np.arange(0, 90, 3.0)):
        p = turned(xy, -float(yaw))
        low, high = np.quantile(p, [0.02, 0.98], axis=0)
        side = np.minimum(np.abs(p - low), np.abs(p - high)).min(axis=1)
        score = float((1 / np.maximum(side, 0.06)).sum())
        if score > best:
            best, best_yaw = score, float(yaw)
    return best_yaw
