"""Colours and words of the page, the same as the report's."""

from __future__ import annotations

from typing import Any

import numpy as np

from densegt.depth.matching import ABSOLUTE_TOLERANCE_M, RELATIVE_TOLERANCE
from densegt.depth.point_votes import STEPS
from densegt.depth.steps import STEPS_PER_M
from densegt.report import draw, tiles
from densegt.report.content import SOURCE_WORDS
from densegt.view import votes, voxels
from densegt.view.pixels import AGE_EDGES_S, BLOCK_PX, TRUTH_STEPS_PER_M, uncertainty_m

# Layers by what buttons call them, the same as the report's pictures.
LAYERS = {
    "image": tiles.IMAGE,
    "measured": tiles.MEASURED,
    "completed": tiles.COMPLETED,
    "uncertainty": tiles.UNCERTAINTY,
    "truth": tiles.GROUND_TRUTH,
    "error": tiles.ERROR,
    "source": tiles.SOURCE,
    "age": "Age",
    "confidence": "Confidence",
}


def legend() -> dict[str, Any]:
    """All that the page's scripts need to know of colours, steps and tolerances."""
    depth_m = np.geomspace(draw.NEAREST_M, draw.FARTHEST_M, 256, dtype=np.float32)[None]
    return {
        "steps_per_m": STEPS_PER_M,
        "truth_steps_per_m": TRUTH_STEPS_PER_M,
        "block_px": BLOCK_PX,
        "nothing": draw.NOTHING,
        "depth": {
            "nearest_m": draw.NEAREST_M,
            "farthest_m": draw.FARTHEST_M,
            "colours": draw.colour_depth(depth_m)[0].tolist(),
        },
        "source": {int(s): {"colour": draw.SOURCE_COLOURS[s], "words": words} for s, words in SOURCE_WORDS.items()},
        "age": {"edges_s": AGE_EDGES_S, "colours": _age_colours()},
        "confidence": {"colours": _confidence_colours()},
        "uncertainty": {
            "metres": uncertainty_m().round(4).tolist(),
            "colours": draw.uncertainty_picture(uncertainty_m()[None])[0].tolist(),
        },
        "votes": {"colours": votes.colours(), "steps": STEPS},
        "voxels": [
            {"colour": colour, "words": words} for colour, words in zip(voxels.COLOURS, voxels.WORDS, strict=True)
        ],
        "error": {
            "absolute_m": ABSOLUTE_TOLERANCE_M,
            "relative": RELATIVE_TOLERANCE,
            "saturated": draw.SATURATED,
            "right": draw.RIGHT,
            "too_far": draw.TOO_FAR,
            "too_near": draw.TOO_NEAR,
            "false_positive": draw.FALSE_POSITIVE,
            "not_predicted": draw.NOT_PREDICTED,
        },
    }


def _age_colours() -> list[list[int]]:
    """One for each class: blue before the exposure, pale about it, red after."""
    from matplotlib import colormaps

    classes = len(AGE_EDGES_S) + 1
    rgba = colormaps["RdBu_r"](np.linspace(0.03, 0.97, classes))
    return np.rint(255 * rgba[:, :3]).astype(int).tolist()  # type: ignore[no-any-return]


def _confidence_colours() -> list[list[int]]:
    """For 0 ... 255; stores mostly hold what is above 0.9, so half of the scale is for that."""
    from matplotlib import colormaps

    p = np.arange(256) / 255
    share = np.where(p < 0.9, 0.5 * p / 0.9, 0.5 + 0.5 * (p - 0.9) / 0.1)
    return np.rint(255 * colormaps["viridis"](share)[:, :3]).astype(int).tolist()  # type: ignore[no-any-return]
