"""What decides losses and boxes of detectors that name every object by its centre's cell."""

from __future__ import annotations

from pydantic import BaseModel, Field

from densegt.detection.train_config import STRICT


class CentreConfig(BaseModel):
    """See `CentreDetector`.

    Attributes:
        min_radius: of a heat spot, in cells.
        min_overlap: of two boxes of a class whose IoU from above is larger the less likely one is dropped.
        heat, values, attributes: weights of the losses.
        speed: weight of velocity's two numbers among a box's ten. Several sweeps show it, and with the 0.2 that is
            customary it is learned so late that a short training ends before.
    """

    model_config = STRICT

    min_radius: int = Field(default=2, ge=0)
    min_overlap: float = Field(default=0.2, gt=0, le=1)
    heat: float = Field(default=1.0, ge=0)
    values: float = Field(default=0.5, ge=0)
    attributes: float = Field(default=0.1, ge=0)
    speed: float = Field(default=1.0, ge=0)
