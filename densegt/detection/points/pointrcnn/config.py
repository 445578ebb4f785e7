"""Everything that decides a PointRCNN's shape and what it is asked."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field, model_validator

from densegt.datasets.detection_classes import CLASSES, MAX_BOXES
from densegt.detection.train_config import STRICT


class LevelConfig(BaseModel):
    """A set abstraction: so many centres, the points about each, and the widths of what is learned of them."""

    model_config = STRICT

    centres: int = Field(ge=3)
    radius_m: float = Field(gt=0)
    neighbours: int = Field(default=16, ge=1, le=1024)
    widths: tuple[int, ...] = Field(min_length=1)


class StageWeights(BaseModel):
    """Of the parts of the loss."""

    model_config = STRICT

    foreground: float = Field(default=1.0, ge=0)
    proposals: float = Field(default=1.0, ge=0)
    classes: float = Field(default=1.0, ge=0)
    boxes: float = Field(default=1.0, ge=0)


class PointRcnnConfig(BaseModel):
    """The paper's settings where it names them (S. Shi et al., PointRCNN, 2019), with one radius at each level.

    Attributes:
        classes: of nuScenes, that are looked for.
        points: of each cloud; drawn from more, repeated from fewer.
        levels: from many centres to few.
        widths: of what comes back from the few to all points; one for each level, the last is a point's features.
        mean_size_m: l, w, h that sizes are told against.
        search_m: a point's box has its middle within so many metres in x and y.
        bin_m: a bin of that search.
        headings: bins of a full turn.
        proposals: so many of each sample are looked at again in training; test_proposals: else, which bounds
            how many objects can be found.
        likely: as many of the likeliest points propose a box at all.
        proposal_iou: proposals that overlap a likelier one by more are dropped.
        regions: so many of each sample are learned from.
        region_points, region_widths, region_levels: of a region; the last level is the region as a whole.
        margin_m: a region is larger than its box, on each side.
        refine_search_m, refine_bin_m, refine_turn_deg, refine_headings: about a region's own place and heading.
        right_iou, sure_iou, wrong_iou: a region of at least `right_iou` learns its box, of at least `sure_iou` that it
            is one, of less than `wrong_iou` that it is none.
        found_iou: found boxes do not overlap by more; most: as many are found.
    """

    model_config = STRICT

    classes: tuple[str, ...] = ("car", "truck", "bus")
    points: int = Field(default=16384, ge=16, le=2**20)
    levels: tuple[LevelConfig, ...] = (
        LevelConfig(centres=4096, radius_m=0.5, neighbours=32, widths=(16, 16, 32)),
        LevelConfig(centres=1024, radius_m=1.0, neighbours=32, widths=(64, 64, 128)),
        LevelConfig(centres=256, radius_m=2.0, neighbours=32, widths=(128, 196, 256)),
        LevelConfig(centres=64, radius_m=4.0, neighbours=32, widths=(256, 256, 512)),
    )
    widths: tuple[int, ...] = (512, 512, 256, 128)
    mean_size_m: tuple[float, float, float] = (4.6, 1.95, 1.7)
    search_m: float = Field(default=6.0, gt=0)
    bin_m: float = Field(default=0.5, gt=0)
    headings: int = Field(default=12, ge=1)
    proposals: int = Field(default=100, ge=1, le=16384)
    test_proposals: int = Field(default=MAX_BOXES, ge=1, le=16384)
    likely: int = Field(default=2048, ge=1)
    proposal_iou: float = Field(default=0.8, ge=0, le=1)
    regions: int = Field(default=64, ge=1)
    region_points: int = Field(default=512, ge=4, le=16384)
    region_widths: tuple[int, ...] = (128, 128)
    region_levels: tuple[LevelConfig, ...] = (
        LevelConfig(centres=128, radius_m=0.2, neighbours=64, widths=(128, 128)),
        LevelConfig(centres=32, radius_m=0.4, neighbours=64, widths=(128, 256)),
    )
    region_features: int = Field(default=512, ge=1)
    margin_m: float = Field(default=1.0, ge=0)
    refine_search_m: float = Field(default=1.5, gt=0)
    refine_bin_m: float = Field(default=0.5, gt=0)
    refine_turn_deg: float = Field(default=45.0, gt=0, le=90)
    refine_headings: int = Field(default=9, ge=1)
    right_iou: float = Field(default=0.55, gt=0, le=1)
    sure_iou: float = Field(default=0.6, gt=0, le=1)
    wrong_iou: float = Field(default=0.45, gt=0, le=1)
    found_iou: float = Field(default=0.1, ge=0, le=1)
    most: int = Field(default=MAX_BOXES, ge=1)
    weights: StageWeights = StageWeights()

    @property
    def labels(self) -> tuple[int, ...]:
        """The classes' places in CLASSES."""
        return tuple(CLASSES.index(name) for name in self.classes)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if unknown := sorted(set(self.classes) - set(CLASSES)):
            raise ValueError(f"classes {', '.join(unknown)}: nuScenes has {', '.join(CLASSES)}")
        if not (self.levels and self.region_levels and self.region_widths):
            raise ValueError("levels, region_widths and region_levels have at least one entry each")
        if len(self.levels) != len(self.widths):
            raise ValueError(f"{len(self.levels)} levels and {len(self.widths)} widths; one for each is wanted")
        counts = [self.points, *(level.centres for level in self.levels)]
        if counts != sorted(counts, reverse=True):
            raise ValueError(f"points and centres {counts}: each level has as many as the one before, or fewer")
        return self
