"""Configuration of `densegt autolabel`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from densegt.accumulation.config import AccumulateConfig


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ProposalConfig(_Strict):
    """Where vehicles that stand are looked for.

    Attributes:
        least_score: a proposal with less is not fitted; most: so many of a scene are.
    """

    max_range_m: float = Field(default=50.0, gt=0, le=90)
    cell_m: float = Field(default=0.2, gt=0.05, le=1)
    yaw_step_deg: float = Field(default=10.0, ge=2, le=45)
    least_score: float = 1.0
    most: int = Field(default=80, ge=1)


class FitConfig(_Strict):
    """How a shape is fitted to the points of a whole track.

    Attributes:
        points, free: so many measured points and empty places take part.
        steps: of Gauss and Newton in each of three rounds, the first with all starts.
        robust_m: residuals beyond this count little, in each of the three rounds.
    """

    points: int = Field(default=112, ge=16)
    free: int = Field(default=56, ge=0)
    steps: tuple[int, int, int] = (4, 4, 3)
    robust_m: tuple[float, float, float] = (0.3, 0.15, 0.1)
    free_weight: float = 4.0
    code_weight: float = 0.006
    ground_sigma_m: float = 0.08


class AutolabelConfig(_Strict):
    """Everything that decides the labels.

    Attributes:
        least_points: an object with fewer measured points gets no box.
        least_probability: a box is verified if its overlap with the object is at least a half so probably.
        mirrors_m: a box is so much wider than its shape, which has no mirrors.
    """

    accumulate: AccumulateConfig = AccumulateConfig(motion="free")
    proposals: ProposalConfig = ProposalConfig()
    fit: FitConfig = FitConfig()
    least_points: int = Field(default=12, ge=3)
    least_probability: float = Field(default=0.5, ge=0, le=1)
    mirrors_m: float = Field(default=0.3, ge=0, le=1)
