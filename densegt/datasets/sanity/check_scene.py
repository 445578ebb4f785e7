"""All checks of a scene, cheapest first."""

from __future__ import annotations

from collections.abc import Callable

from densegt.datasets.far_poses import without_far_poses
from densegt.datasets.sanity.alignment import check_alignment
from densegt.datasets.sanity.boxes import check_boxes
from densegt.datasets.sanity.cameras import check_cameras
from densegt.datasets.sanity.clock import check_clock
from densegt.datasets.sanity.finding import SanityFinding
from densegt.datasets.sanity.ground import check_ground
from densegt.datasets.sanity.motion import check_motion
from densegt.datasets.sanity.ranges import check_ranges
from densegt.datasets.sanity.sample import draw_sample
from densegt.datasets.scene import Points, Scene, Sweep

_FAR = "accumulate goes on without it; correct its ego pose"


def check_scene(scene: Scene, read_points: Callable[[Sweep], Points] | None = None) -> list[SanityFinding]:
    """What contradicts itself in a scene; a handful of sweeps and images are looked at.

    A mistake shows in several places, so where the geometry is wrong altogether the images are not asked.

    Args:
        read_points: gives a sweep's returns where they have been read already.

    Raises:
        InputError: a sweep cannot be read.
    """
    near = without_far_poses(scene)
    far = near.set_aside[len(scene.set_aside) :]
    findings = [SanityFinding("poses", "", f"of {len(far)} sweeps and images, the first {far[0]}", _FAR)] if far else []
    scene = near
    findings += [*check_clock(scene), *check_cameras(scene)]
    sample = draw_sample(scene, read_points)
    findings += check_ranges(sample)
    if not any(finding.check == "points" and finding.fatal for finding in findings):
        findings += check_ground(sample)
    if not any(finding.fatal for finding in findings):
        findings += check_motion(sample)
    if not any(finding.fatal for finding in findings):
        findings += check_boxes(sample)
    # Edges are found along rings.
    if not any(finding.fatal or finding.check == "points" for finding in findings):
        findings += check_alignment(sample)
    return findings
