"""Everything that decides a training of a monocular detector."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from densegt.detection.data.augment import ImageRanges
from densegt.detection.train_config import STRICT, DetectorConfig, Range, check_input_size

Teacher = Literal["dense", "sparse", "mono", "autolabel", "exact"]
# Families of the shape prior that a class's vehicles are of, and how many of it are; vans are cars to nuScenes.
FAMILIES_OF = {"car": {"car": 0.75, "van": 0.25}, "truck": {"truck": 1.0}, "bus": {"bus": 1.0}}


class ImageConfig(BaseModel):
    """The network on whole images; ResNet-34's stages by default.

    Attributes:
        size: (height, width) px of its input.
        widths, blocks: of the stages with strides 4, 8, 16, ...
        channels: of the features at stride 4.
        min_score, most: objects less likely are not said, nor more of an image.
        max_overlap: of two 2D boxes of a class that share more the likelier one stays.
    """

    model_config = STRICT

    size: tuple[int, int] = (896, 1600)
    widths: tuple[int, ...] = (64, 128, 256, 512)
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    channels: int = Field(default=128, ge=1, le=2048)
    min_score: float = Field(default=0.05, ge=0, le=1)
    most: int = Field(default=100, ge=1, le=1000)
    max_overlap: float = Field(default=0.6, gt=0, le=1)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        check_input_size(self.size, 2)
        if len(self.widths) != len(self.blocks) or not 1 <= len(self.widths) <= 5:
            raise ValueError(f"{len(self.widths)} widths and {len(self.blocks)} blocks; one to five stages have both")
        if min(self.widths) < 1 or max(self.widths) > 2048 or min(self.blocks) < 1:
            raise ValueError("widths of 1 to 2048 channels, and a block or more of each")
        return self


class MonoModelConfig(BaseModel):
    """The network.

    Attributes:
        detector: its name in the registry: `mono` sees one object at a time, of a given 2D box; `mono-image` finds them
            in whole images.
        classes: that are looked for.
        crop_px, widths: of `mono`: the square picture of an object, and channels of convolutions, each with stride 2.
        image: of `mono-image`.
        min_height_deg: lower 2D boxes are left out.
        features: of the layers that answer.
        hypotheses: of the yaw; 1 is a plain regression.
        dropout: between those layers.
        mirrors_m: a box is so much wider than its shape, which has no mirrors.
    """

    model_config = STRICT

    detector: Literal["mono", "mono-image"] = "mono"
    classes: tuple[str, ...] = ("car",)
    crop_px: int = Field(default=64, ge=16, le=512)
    min_height_deg: float = Field(default=1.5, ge=0, le=90)
    widths: tuple[int, ...] = (24, 48, 64, 96, 96)
    image: ImageConfig = ImageConfig()
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
        heat, edges: of `mono-image`: where objects are in the image, and the edges of their 2D boxes.
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
    heat: float = Field(default=1.0, ge=0)
    edges: float = Field(default=1.0, ge=0)


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
    """How crops and images are varied while learning, besides that half of them are mirrored.

    Attributes:
        colour: by how much contrast, colours and light may differ.
        jitter: of a crop's half side, that it may be shifted and stretched by.
        scale: of whole images, beside the smallest that fills the network's input; cut out anywhere along a row.
    """

    model_config = STRICT

    colour: float = Field(default=0.5, ge=0, le=1)
    jitter: float = Field(default=0.08, ge=0, le=0.5)
    scale: Range = (0.9, 1.1)

    def image_ranges(self) -> ImageRanges:
        """Of whole images."""
        return ImageRanges(scale=self.scale, flip=0.5, shift=True)


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
