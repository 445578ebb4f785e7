"""Everything that decides a training of a monocular detector."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, field_validator

from densegt.detection.train_config import STRICT, DetectorConfig

Teacher = Literal["dense", "sparse", "mono", "autolabel", "exact"]
# Families of the shape prior that a class's vehicles are of, and how many of it are; vans are cars to nuScenes.
FAMILIES_OF = {"car": {"car": 0.75, "van": 0.25}, "truck": {"truck": 1.0}, "bus": {"bus": 1.0}}


class MonoModelConfig(BaseModel):
    """The network, which sees one object at a time.

    Attributes:
        detector: its name in the registry.
        classes: that are looked for.
        crop_px: of the square picture of an object.
        min_height_deg: lower 2D boxes are left out.
        widths: channels of the convolutions, each with stride 2.
        hypotheses: of the yaw; 1 is a plain regression.
        dropout: of what the layers after the convolutions are given.
        mirrors_m: a box is so much wider than its shape, which has no mirrors.
    """

    model_config = STRICT

    detector: Literal["mono"] = "mono"
    classes: tuple[str, ...] = ("car",)
    crop_px: int = Field(default=64, ge=16, le=512)
    min_height_deg: float = Field(default=1.5, ge=0, le=90)
    widths: tuple[int, ...] = (24, 48, 64, 96, 96)
    features: int = Field(default=128, ge=1, le=4096)
    hypotheses: int = Field(default=4, ge=1, le=16)
    dropout: float = Field(default=0.3, ge=0, lt=1)
    mirrors_m: float = Field(default=0.3, ge=0, le=1)

    @field_validator("classes")
    @classmethod
    def _known(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        for name in classes:
            if name not in FAMILIES_OF:
                raise ValueError(f"{name}: no shapes are known of it; there is {', '.join(FAMILIES_OF)}")
        if not classes:
            raise ValueError("no class to look for")
        return classes

    @field_validator("widths")
    @classmethod
    def _small(cls, widths: tuple[int, ...]) -> tuple[int, ...]:
        if not 1 <= len(widths) <= 8 or min(widths) < 1 or max(widths) > 2048:
            raise ValueError("one to eight widths of 1 to 2048 channels")
        return widths


class MonoWeights(BaseModel):
    """Of the parts of the loss; 0 leaves one out.

    Attributes:
        depth: distance of measured points to the shape's surface.
        free_space: of the shape between the camera and measured points.
        ground: the shape's bottom against the ground, as the reference frame has it.
        silhouette: rays that meet the shape, or do not, as the mask says.
        box_2d: the box's image against the 2D box.
        size, shape: how unlike its kind a vehicle's size and code are.
        score: of the yaw hypotheses, to name the best one.
        label: of exact boxes, where they are learned from.
    """

    model_config = STRICT

    depth: float = Field(default=0.5, ge=0)
    free_space: float = Field(default=0.5, ge=0)
    ground: float = Field(default=0.1, ge=0)
    silhouette: float = Field(default=0.5, ge=0)
    box_2d: float = Field(default=0.3, ge=0)
    size: float = Field(default=0.2, ge=0)
    shape: float = Field(default=0.02, ge=0)
    score: float = Field(default=0.2, ge=0)
    label: float = Field(default=1.0, ge=0)


class LossConfig(BaseModel):
    """How the parts are measured.

    Attributes:
        depth_m: distances up to this cost by their square, greater ones ever less.
        full_depth_m: an object that is farther than this is as exact only in proportion.
        ground_m, ground_slope: so much a shape may be above or below the ground, and so much more a metre away.
        silhouette_m: a ray that passes by as far as this is likely to miss.
        box_slack: of a 2D box's size, costs nothing.
        points, rays: so many of an object take part in a step.
        mean_steps: over so many steps the mean over all hypotheses fades out.
        explore_every: each such step looks for the best yaw all around and teaches it; 0 never.
    """

    model_config = STRICT

    depth_m: float = Field(default=0.15, gt=0)
    full_depth_m: float = Field(default=15.0, gt=0)
    ground_m: float = Field(default=0.2, gt=0)
    ground_slope: float = Field(default=0.03, ge=0)
    silhouette_m: float = Field(default=0.12, gt=0)
    box_slack: float = Field(default=0.06, ge=0, lt=1)
    points: int = Field(default=32, ge=1, le=128)
    rays: int = Field(default=32, ge=1, le=96)
    mean_steps: int = Field(default=150, ge=0)
    explore_every: int = Field(default=4, ge=0)


class AugmentConfig(BaseModel):
    """How crops are varied while learning, besides that half of them are mirrored.

    Attributes:
        colour: by how much contrast, colours and light may differ.
        jitter: of a crop's half side, that it may be shifted and stretched by.
    """

    model_config = STRICT

    colour: float = Field(default=0.5, ge=0, le=1)
    jitter: float = Field(default=0.08, ge=0, le=0.5)


class MonoConfig(DetectorConfig):
    """Configuration of `densegt train-mono`; see `DetectorConfig` for the rest.

    Attributes:
        supervision: what 3D is learned from besides masks, 2D boxes and shapes: `dense`, all that a depth store
            measured; `sparse`, the keyframe's own sweeps; `mono`, a store of estimated depth; `autolabel`, as dense,
            and boxes of a recording that `densegt autolabel` wrote; `exact`, labelled boxes alone, which is the most
            that can be hoped for.
        weights: of an `exact` training only `label` and `score` count.
    """

    batch: int = Field(default=16, ge=1)
    epochs: int = Field(default=30, ge=1)
    learning_rate: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=0.05, ge=0)
    supervision: Teacher = "sparse"
    model: MonoModelConfig = MonoModelConfig()
    weights: MonoWeights = MonoWeights()
    loss: LossConfig = LossConfig()
    augment: AugmentConfig = AugmentConfig()

    @property
    def detector(self) -> str:
        """Its name in the registry."""
        return self.model.detector
