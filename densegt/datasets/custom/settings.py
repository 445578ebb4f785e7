"""recording.yaml: the sensors of a recording, and what its boxes are called."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from densegt.configuration import mistakes
from densegt.datasets.detection_classes import CLASSES
from densegt.datasets.file_names import can_name_file
from densegt.datasets.lidar_model import LIDAR_MODELS, LidarModel
from densegt.datasets.scene import ObjectKind
from densegt.errors import InputError
from densegt.geometry import se3
from densegt.geometry.distortion import COEFFICIENTS, Distortion
from densegt.strict_yaml import read_yaml_mapping

NAME = "recording.yaml"
Float64 = NDArray[np.float64]


def _pose(value: Any) -> Float64:
    """T (4,4) from four rows of four numbers, or from {xyz, wxyz}."""
    if isinstance(value, dict):
        if set(value) != {"xyz", "wxyz"}:
            raise ValueError("a pose is {xyz: [x, y, z], wxyz: [w, x, y, z]} or four rows of four numbers")
        return se3.from_quaternion(value["wxyz"], value["xyz"])
    T = np.array(value, dtype=np.float64)
    if T.shape != (4, 4) or not np.isfinite(T).all() or np.abs(T[3] - [0, 0, 0, 1]).max() > 1e-6:
        raise ValueError("a pose is four rows of four numbers, the last 0 0 0 1, or {xyz: ..., wxyz: ...}")
    if np.abs(T[:3, :3] @ T[:3, :3].T - np.eye(3)).max() > 1e-3 or np.linalg.det(T[:3, :3]) < 0:
        raise ValueError("its upper left three by three are no rotation")
    return T


def _intrinsics(value: Any) -> Float64:
    """K (3,3) from three rows of three numbers, or from fx, fy, cx, cy."""
    K = np.array(value, dtype=np.float64)
    if K.shape == (4,):
        fx, fy, cx, cy = K
        K = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    if K.shape != (3, 3) or not np.isfinite(K).all() or K[0, 0] <= 0 or K[1, 1] <= 0:
        raise ValueError("K is three rows of three numbers, or [fx, fy, cx, cy], in pixels")
    return K


def _lens(value: Any) -> tuple[str, tuple[float, ...]] | None:
    """Model and coefficients of a distortion; None where there is none."""
    if value in (None, "none"):
        return None
    if not isinstance(value, dict) or set(value) != {"model", "coefficients"}:
        models = ", ".join(COEFFICIENTS)
        raise ValueError(f"distortion is none, or {{model: one of {models}, coefficients: [k1, ...]}}")
    return str(value["model"]), tuple(np.array(value["coefficients"], dtype=np.float64).reshape(-1).tolist())


Pose = Annotated[Any, BeforeValidator(_pose)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class TurnSettings(_Strict):
    """How a lidar turns, see `densegt.datasets.lidar_model.LidarModel`."""

    clockwise: bool
    period_s: float = Field(gt=0, le=10)
    scan_start_azimuth_deg: float = Field(
        ge=-360, le=360, validation_alias=AliasChoices("scan_start_azimuth_deg", "seam_deg")
    )
    stamp_fraction: float = Field(ge=-1, le=2)
    compensated: bool

    def lidar_model(self) -> LidarModel:
        """The same with the scan start in radians."""
        scan_start_azimuth_rad = float(np.deg2rad(self.scan_start_azimuth_deg))
        return LidarModel(self.clockwise, self.period_s, scan_start_azimuth_rad, self.stamp_fraction, self.compensated)


class LidarSettings(_Strict):
    """A lidar: its place, and how it turns; auto leaves that to what the points tell."""

    T_ego_lidar: Pose
    model: TurnSettings | Literal["auto", "nuscenes", "kitti"] = "auto"

    def lidar_model(self) -> LidarModel | None:
        """None where it is to be told from the points."""
        if isinstance(self.model, TurnSettings):
            return self.model.lidar_model()
        return LIDAR_MODELS.get(self.model)


class CameraSettings(_Strict):
    """A camera: place, intrinsics, size of its images in pixels, and the distortion that they are to be freed of."""

    T_ego_cam: Pose
    K: Annotated[Any, BeforeValidator(_intrinsics)]
    size: tuple[Annotated[int, Field(gt=0, le=2**16)], Annotated[int, Field(gt=0, le=2**16)]]
    lens: Annotated[Any, BeforeValidator(_lens)] = Field(
        alias="distortion",
        description="none where the images have no lens distortion, else {model: ..., coefficients: [...]}",
    )

    @model_validator(mode="after")
    def _lens_fits(self) -> Self:
        if self.distortion is not None:
            self.distortion.check(*self.size)
        return self

    @cached_property
    def distortion(self) -> Distortion | None:
        """None where the images have none."""
        return None if self.lens is None else Distortion.about(self.K, *self.lens)


class CategorySettings(_Strict):
    """What a category of boxes is: how it moves, and the class that detectors are scored on."""

    kind: ObjectKind = ObjectKind.OTHER
    detection_class: str | None = Field(default=None, alias="class")


class Settings(_Strict):
    """All of recording.yaml; the first lidar is the main one, whose sweeps make the keyframes."""

    lidars: dict[str, LidarSettings] = Field(min_length=1)
    cameras: dict[str, CameraSettings] = {}
    categories: dict[str, CategorySettings] = {}
    keyframe_every: int | None = Field(default=None, ge=1)
    validation: tuple[str, ...] = ()

    def kind(self, category: str) -> ObjectKind:
        """How a category moves: as recording.yaml says, else by its own name."""
        known = self.categories.get(category)
        return known.kind if known else _KINDS.get(category, ObjectKind.OTHER)

    def class_of(self, category: str) -> str | None:
        """Its detection class: as recording.yaml says, else the one of its name."""
        known = self.categories.get(category)
        return known.detection_class if known else (category if category in CLASSES else None)


_KINDS = {
    **dict.fromkeys(("car", "truck", "bus", "construction_vehicle"), ObjectKind.RIGID_VEHICLE),
    **dict.fromkeys(("bicycle", "motorcycle"), ObjectKind.TWO_WHEELER),
    "trailer": ObjectKind.TRAILER,
    "pedestrian": ObjectKind.PERSON,
}


def read_settings(path: Path) -> Settings:
    """recording.yaml.

    Raises:
        InputError: it is missing or no YAML, or a key is missing, unknown or has no sense; the message names the key.
    """
    if not path.exists():
        raise InputError(f"{path}: not there; it names lidars and cameras, see docs/formats/custom.md")
    values = read_yaml_mapping(path)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise InputError(f"{path}: {mistakes(Settings, error)}") from None
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise InputError(f"{path}: {_one_line(str(error))}") from None
    _check_names(path, settings)
    return settings


def _check_names(path: Path, settings: Settings) -> None:
    for name in (*settings.lidars, *settings.cameras):
        if not can_name_file(name):
            raise InputError(f"{path}: a sensor is named {name!r}, which cannot name a folder")
    for category, values in settings.categories.items():
        if values.detection_class not in (None, *CLASSES):
            what = f"{values.detection_class!r} is none of {', '.join(CLASSES)}"
            raise InputError(f"{path}: categories.{_one_line(category)}.class: {what}")


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
