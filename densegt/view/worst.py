"""Places of a scene to look at first: where depth is wrong, or where nothing is known to be right the least sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.depth.matching import best_match, known, tolerance_m
from densegt.depth.places import WorstPlaces
from densegt.depth.store import ImageRecord

PLACES = 12
LEAST_CONFIDENCE = 0.95


class WorstPixels:
    """Collects the places of one scene; `update` with each image, then `compute`."""

    def __init__(self, scene: str) -> None:
        self._scene = scene
        self._wrong, self._unsure = WorstPlaces(PLACES), WorstPlaces(PLACES)
        self._judged = False

    def update(self, record: ImageRecord, exact: ImageRecord | None) -> None:
        """Add an image and, where there is one, its ground truth."""
        key = (self._scene, record.sample_token, record.channel)
        if exact is not None:
            self._judged = True
            self._wrong.update(key, wrong_pixels(record.depth_m, exact.depth_m))
        self._unsure.update(key, unsure_pixels(record))

    def compute(self, keyframes: Sequence[Mapping[str, Any]], downscale: int) -> dict[str, Any]:
        """`places` and, in words, what they are; in pixels of the page's images.

        Args:
            keyframes: of the page, in order; each has its `token`.
        """
        found = (self._wrong if self._judged else self._unsure).compute()
        index = {keyframe["token"]: k for k, keyframe in enumerate(keyframes)}
        places = [
            {
                "keyframe": index[place.sample_token],
                "channel": place.channel,
                "layer": "error" if self._judged else "uncertainty",
                "pixels": place.pixels,
                "u": place.column // downscale,
                "v": place.row // downscale,
                "width": max(1, place.width // downscale),
                "height": max(1, place.height // downscale),
            }
            for place in found
        ]
        words = (
            "Squares with most pixels that are wrong by more than max(0.5 m, 5 %)."
            if self._judged
            else f"Squares with most pixels of a confidence below {LEAST_CONFIDENCE} or an uncertainty above "
            "max(0.5 m, 5 %)."
        )
        return {"places": places, "places_are": words}


def wrong_pixels(depth_m: NDArray[np.float32], exact_m: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Pixels (H,W) whose depth matches no ground truth of the 3x3 around them, false positives among them."""
    has = known(depth_m)
    wrong = np.zeros(has.shape, dtype=np.bool_)
    wrong[has] = np.abs(best_match(depth_m, exact_m, has)) > 1
    return wrong


def unsure_pixels(record: ImageRecord) -> NDArray[np.bool_]:
    """Pixels (H,W) with a low confidence, or with an uncertainty beyond the tolerance."""
    unsure = np.zeros(record.depth_m.shape, dtype=np.bool_)
    confidence, uncertainty_m = record.layers.get("confidence"), record.layers.get("uncertainty")
    if confidence is not None:
        unsure |= (confidence > 0) & (confidence < 255 * LEAST_CONFIDENCE)
    if uncertainty_m is not None:
        unsure |= uncertainty_m > tolerance_m(record.depth_m)
    return unsure & known(record.depth_m)
