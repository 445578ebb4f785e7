"""What a report says of a store in figures: how much of each scene is covered, and by what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from densegt.depth.depth_map import Source
from densegt.depth.store import ImageRecord, SceneReader
from densegt.report.draw import (
    FARTHEST_M,
    LEAST_SURE_M,
    NEAREST_M,
    SOURCE_COLOURS,
    SUREST_M,
    colour_depth,
    uncertainty_picture,
)

SOURCE_WORDS = {
    Source.OWN_SWEEP: "the keyframe's own sweep",
    Source.STATIC: "static point of another sweep",
    Source.MOVER: "dynamic object",
    Source.SURFACE: "surface between measured points",
    Source.COMPLETED: "completed",
    Source.SHAPE: "fitted shape",
    Source.NONE: "no depth",
}


@dataclass
class Contents:
    """Sums over the images of a scene, or of a store.

    Attributes:
        by_source: number of pixels with depth, for each code of `Source`.
        sizes: width x height in pixels of the images met.
    """

    images: int = 0
    pixels: int = 0
    by_source: dict[Source, int] | None = None
    channels: frozenset[str] = frozenset()
    sizes: frozenset[tuple[int, int]] = frozenset()

    def add(self, record: ImageRecord) -> None:
        """Count one image."""
        codes = np.bincount(record.source[record.depth_m > 0].astype(int), minlength=len(Source))
        before = self.by_source or dict.fromkeys(Source, 0)
        self.by_source = {s: before[s] + int(codes[s]) for s in Source}
        self.images += 1
        self.pixels += record.depth_m.size
        self.channels |= {record.channel}
        self.sizes |= {(record.depth_m.shape[1], record.depth_m.shape[0])}

    def coverage_percent(self, *sources: Source) -> float:
        """Share of all pixels that have depth, from these sources or from any."""
        counts = self.by_source or {}
        chosen = sum(counts.get(s, 0) for s in (sources or tuple(Source)))
        return 100 * chosen / self.pixels if self.pixels else 0.0


def contents(reader: SceneReader, on_image: Callable[[], None]) -> Contents:
    """Count a scene's images; `on_image` is called after each."""
    sums = Contents()
    for record in reader:
        sums.add(record)
        on_image()
    return sums


def depth_legend() -> dict[str, object]:
    """The colour bar: stops for a CSS gradient, and where the marks in metres stand (percent of its length)."""
    depth = np.geomspace(NEAREST_M, FARTHEST_M, 24, dtype=np.float32)[None]
    stops = [f"rgb({r},{g},{b})" for r, g, b in colour_depth(depth)[0].tolist()]
    span = np.log(FARTHEST_M / NEAREST_M)
    marks = [(m, float(100 * np.log(m / NEAREST_M) / span)) for m in (2, 5, 10, 20, 40, 80)]
    return {"stops": ", ".join(stops), "marks": marks}


def uncertainty_legend() -> dict[str, object]:
    """The same for uncertainty."""
    sizes = np.geomspace(SUREST_M, LEAST_SURE_M, 24)[None]
    stops = [f"rgb({r},{g},{b})" for r, g, b in uncertainty_picture(sizes)[0].tolist()]
    span = np.log(LEAST_SURE_M / SUREST_M)
    marks = [(m, float(100 * np.log(m / SUREST_M) / span)) for m in (0.05, 0.2, 1, 5, 20)]
    return {"stops": ", ".join(stops), "marks": marks}


def source_legend() -> list[tuple[str, str]]:
    """Colour and meaning of each source."""
    return [(css(SOURCE_COLOURS[source]), words) for source, words in SOURCE_WORDS.items()]


def css(colour: tuple[int, int, int]) -> str:
    """RGB as CSS."""
    return f"rgb({colour[0]},{colour[1]},{colour[2]})"
