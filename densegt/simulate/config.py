"""What a simulation is told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from densegt.errors import InputError


@dataclass(frozen=True, kw_only=True)
class SimulateConfig:
    """Everything that decides a simulation's output.

    Attributes:
        scenes: how many scenes, each in a world of its own.
        seconds: length of a scene; keyframes at 2 Hz from 0 to its end.
        seed: worlds differ between seeds and between scenes.
        width_px, height_px: size of the images; nuScenes' intrinsics are scaled to it.
        unlabelled: moving objects without annotations, per scene.
        box_noise_m: standard deviation of annotated positions; yaw (rad) and size (share) get a fifth of it.
        pose_noise_m: standard deviation of the recorded ego positions, slow drift; yaw (rad) gets a hundredth.
        late_boxes: share of the labelled things whose first boxes are left out, up to half of them.
        missing_boxes: share of all boxes that are left out.
    """

    scenes: int = 2
    seconds: float = 5.0
    seed: int = 0
    width_px: int = 800
    height_px: int = 450
    unlabelled: int = 2
    box_noise_m: float = 0.0
    pose_noise_m: float = 0.0
    late_boxes: float = 0.0
    missing_boxes: float = 0.0

    def described(self) -> dict[str, Any]:
        """What the exact store says of it; boxes are complete unless it says otherwise."""
        said = asdict(self)
        return {name: value for name, value in said.items() if value or name not in ("late_boxes", "missing_boxes")}

    def __post_init__(self) -> None:
        if not 1 <= self.scenes <= 9999:
            raise InputError(f"scenes must be between 1 and 9999, not {self.scenes}")
        if not 0.5 <= self.seconds <= 60:
            raise InputError(f"seconds must be between 0.5 and 60, not {self.seconds}")
        if not (16 <= self.width_px <= 4096 and 16 <= self.height_px <= 4096):
            raise InputError(f"image size must be 16 to 4096 px a side, not {self.width_px}x{self.height_px}")
        if self.unlabelled < 0 or self.box_noise_m < 0 or self.pose_noise_m < 0 or self.seed < 0:
            raise InputError("seed, unlabelled, box-noise and pose-noise cannot be negative")
        if not (0 <= self.late_boxes <= 1 and 0 <= self.missing_boxes <= 1):
            raise InputError(f"late-boxes and missing-boxes are shares, not {self.late_boxes} and {self.missing_boxes}")
