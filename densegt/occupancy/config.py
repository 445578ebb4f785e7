"""What decides an occupancy grid beside the accumulation."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from densegt.accumulation.config import AccumulateConfig
from densegt.kernels.carve_beams import CarveRule


class EvidenceConfig(BaseModel):
    """How evidence becomes a voxel's state.

    Attributes:
        surfel_step: voxels between the places of a surfel that are looked at.
        min_hits, hit_share: occupied is what so many surfels lie in, and so many for each beam that passed through.
        beside_share, passed_beside_share, mover_beside_share: what has fewer hits than this share of the most beside
            it may be an edge of that surface or noise alone, and is left unobserved; the second is for what beams
            passed through, the third for what is a mover's and half as many beams passed through.
        min_passes: free is what so many beams passed through, and through each quarter of it along x, y and z.
        least_path, reach, margin, spread, thinned: see `densegt.kernels.carve_beams.CarveRule`.
        beams_every_m: for each so far that a lidar went the beams of one sweep are used, and those of `now_s` about the
            keyframe.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    surfel_step: float = Field(default=0.5, gt=0)
    min_hits: int = Field(default=1, ge=1)
    hit_share: float = Field(default=0.05, ge=0)
    beside_share: float = Field(default=0.02, ge=0)
    passed_beside_share: float = Field(default=0.1, ge=0)
    mover_beside_share: float = Field(default=0.2, ge=0)
    min_passes: int = Field(default=2, ge=1)
    least_path: float = Field(default=0.25, gt=0)
    reach: float = Field(default=15.0, ge=0)
    margin: float = Field(default=0.1, ge=0)
    spread: float = Field(default=0.001, ge=0)
    thinned: float = Field(default=40.0, ge=0)
    beams_every_m: float = Field(default=0.5, gt=0)
    now_s: float = Field(default=0.12, ge=0)

    @property
    def carve_rule(self) -> CarveRule:
        """When a beam has passed through a voxel."""
        return CarveRule(self.least_path, self.reach, self.margin, self.spread, self.thinned)


class OccupancyConfig(AccumulateConfig):
    """Configuration of `densegt occupancy`: that of the accumulation, and of the voxels."""

    voxels: EvidenceConfig = EvidenceConfig()
