"""Where a keyframe's time goes, stage by stage, beside the least that each stage could take.

python -m benchmarks.speed.budget --dataroot world --image-size 1600x900

Milliseconds are of processor time, one thread, for a keyframe of all cameras; what is done once a scene is shared among
its keyframes. The floor of a stage is what must be moved (each input read once, each output written once, whatever is
needed for it alone kept in registers) at the speed at which this machine copies, or what must be computed at the speed
of its matrix product, whichever takes longer; of the codec what was measured is its own floor. The last lines compare
with numpy's nearest point in each pixel over the same sweeps, which knows no motion, no visibility and no surfaces.
"""

from __future__ import annotations

import os

if __name__ == "__main__":
    # One core, so that milliseconds can be compared; read when numpy and numba start.
    os.environ.update(NUMBA_NUM_THREADS="1", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.accuracy.baselines import nearest_in_pixel, read_sweeps
from benchmarks.speed import speed
from benchmarks.speed.stopwatch import Stopwatch
from densegt.accumulation import pipeline
from densegt.accumulation.cloud import Cloud
from densegt.accumulation.motion import point_assignment
from densegt.accumulation.render import frustum, renderer
from densegt.accumulation.render.working_grid import working_camera, working_step
from densegt.accumulation.scene_input import read_scene
from densegt.batch.executor.kept_memory import keep_freed_memory
from densegt.datasets import open_recording
from densegt.datasets.scene import Camera, Scene
from densegt.depth.store import SceneWriter

# A surfel: place, tangents, reach, time, sweep. A range image: columns of floats.
SURFEL, PLACE = 60, 12
# Multiplications and additions of the confidence model for a pixel.
CONFIDENCE_OPERATIONS = 2 * (32 * 18 + 16 * 33 + 17)


@dataclass(frozen=True)
class Counts:
    """What a keyframe consists of.

    Attributes:
        points: returns that a keyframe has of all sweeps, its share.
        asked: sweeps whose free space each return is held against.
        seen: static and moving surfels before its cameras; movers: all surfels of movers.
        covering: surfels that cover pixels.
        cells, known: of the working grid, and those with depth.
        pixels: of the images.
        stored: bytes of the file.
    """

    points: float
    asked: int
    seen: float
    movers: float
    covering: float
    cells: float
    known: float
    pixels: float
    stored: float


@dataclass(frozen=True)
class Stage:
    """One line of the budget.

    Attributes:
        functions: modules and names of functions that make it up, each where it is called from.
        moved: bytes; computed: operations.
    """

    name: str
    functions: tuple[tuple[ModuleType, str], ...]
    moved: Callable[[Counts], float]
    computed: Callable[[Counts], float] = lambda n: 0.0


@dataclass(frozen=True)
class Line:
    """A stage as measured, ms and MB a keyframe."""

    stage: str
    ms: float
    moved_mb: float
    floor_ms: float


ONCE_A_SCENE = (
    Stage("read sweeps", ((pipeline, "read_returns"),), lambda n: n.points * (20 + 16)),
    Stage("ego poses", ((pipeline, "refine_poses"),), lambda n: n.points * PLACE / 20),
    Stage("surfels, range images", ((pipeline, "measure_scene"),), lambda n: n.points * (16 + SURFEL + 4)),
    Stage("annotated tracks", ((pipeline, "annotated_tracks"),), lambda n: n.movers * 16),
    Stage(
        "free space, all sweeps",
        ((point_assignment, "find_transient"),),
        lambda n: n.points * (PLACE + 4 * n.asked + 1),
    ),
    Stage("movers", ((pipeline, "assign_points"),), lambda n: n.points * 5),
    Stage("the cloud", ((pipeline, "build_cloud"),), lambda n: n.points * 2 * SURFEL),
)
EACH_IMAGE = (
    Stage("candidates", ((frustum, "static_surfels"),), lambda n: n.seen * (PLACE + 4)),
    Stage(
        "free space, now",
        ((frustum, "violates_free_space_now"), (frustum, "movers_in_frustum")),
        lambda n: n.seen * (PLACE + 3 * 8 + 1),
    ),
    Stage("surfels before the camera", ((renderer, "select_visible"),), lambda n: n.seen * SURFEL + n.covering * 76),
    Stage("layers of surfels", ((renderer, "front_surface"),), lambda n: n.covering * 2 * 76 + n.cells * 4 * 24),
    Stage(
        "points of pixels",
        ((renderer, "point_z_buffers"),),
        lambda n: n.seen * PLACE + (n.pixels + n.cells) * 8,
    ),
    Stage(
        "gaps, panes, between",
        ((renderer, "hidden_behind_gaps"), (renderer, "interpolate")),
        lambda n: n.cells * (8 + 8 + 18) + n.known * 36,
    ),
    Stage(
        "confidence",
        ((renderer, "estimate_confidence"),),
        lambda n: n.cells * 56 + n.known * 17,
        lambda n: n.known * CONFIDENCE_OPERATIONS,
    ),
    Stage("pixels of the image", ((renderer, "compose"),), lambda n: n.cells * 17 + n.pixels * (8 + 13)),
    Stage("the rest of rendering", ((renderer, "render"),), lambda n: n.cells * 9),
)
STORED = Stage("encode and write", (), lambda n: n.pixels * (13 + 6) + n.stored)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = parser().parse_args(arguments)
    cv2.setNumThreads(1)
    # As worker processes do.
    keep_freed_memory()
    dataset = open_recording(options.dataroot)
    scene = read_scene(dataset, dataset.scene_names[0], speed.FULL)
    speed.warm_up(scene)
    tokens = list(dict.fromkeys(camera.sample_token for camera in scene.cameras))
    lines, counts, baseline_ms = measure(scene, tokens, options.image_size, options.keyframes)
    total_ms = sum(line.ms for line in lines)
    title = f"{len(scene.sweeps)} sweeps, {len(tokens)} keyframes, images of {options.image_size}"
    console = Console(width=140)
    console.print(budget_table(lines, title))
    console.print(
        f"{total_ms:.0f} ms a keyframe; numpy's nearest in each pixel {baseline_ms:.0f} ms: "
        f"{total_ms / baseline_ms:.2f} times as long"
    )
    if options.markdown:
        options.markdown.write_text(markdown(lines, total_ms, baseline_ms))
    if options.json:
        found = {"lines": [asdict(line) for line in lines], "counts": asdict(counts)}
        found |= {"total_ms": total_ms, "numpy_ms": baseline_ms, "sweeps": len(scene.sweeps)}
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--dataroot", type=Path, required=True, help="its first scene is measured")
    out.add_argument("--image-size", default="1600x900", metavar="WxH", help="of any recording: images are not read")
    out.add_argument("--keyframes", type=int, default=2, help="how many to render, from the middle of the scene")
    out.add_argument("--markdown", type=Path, metavar="FILE")
    out.add_argument("--json", type=Path, metavar="FILE")
    return out


def measure(scene: Scene, tokens: Sequence[str], image_size: str, keyframes: int) -> tuple[list[Line], Counts, float]:
    """The budget's lines, what they were reckoned from, and numpy's ms a keyframe."""
    copies, operations = speed.copies_per_s(), operations_per_s()
    once, cloud = watched(ONCE_A_SCENE, lambda: pipeline.build_cloud(scene, speed.FULL))
    middle = tokens[len(tokens) // 2 :][:keyframes]
    cameras = speed.resized([c for c in cloud.cameras if c.sample_token in middle], image_size)
    # First touch of new memory is the system's, not a stage's.
    renderer.render(cloud, cameras[0], speed.FULL)
    rendered, maps = watched(EACH_IMAGE, lambda: [renderer.render(cloud, camera, speed.FULL) for camera in cameras])
    with tempfile.TemporaryDirectory() as folder:

        def store() -> int:
            with SceneWriter(Path(folder), scene.name, {}) as writer:
                for camera, depth in zip(cameras, maps, strict=True):
                    writer.write(camera, depth)
            return writer.path.stat().st_size

        stored_s, stored = speed.timed(store)
    counts = count(cloud, cameras, len(tokens), len(middle), stored)
    seconds = [(stage, once[stage.name] / len(tokens)) for stage in ONCE_A_SCENE]
    seconds += [(stage, rendered[stage.name] / len(middle)) for stage in EACH_IMAGE]
    seconds += [(STORED, stored_s / len(middle))]
    lines = []
    for stage, taken_s in seconds:
        moved = stage.moved(counts)
        floor_s = max(moved / copies, stage.computed(counts) / operations)
        lines.append(Line(stage.name, 1e3 * taken_s, moved / 1e6, 1e3 * floor_s))
    read_s, sweeps = speed.timed(lambda: read_sweeps(scene))
    nearest_s, _ = speed.timed(lambda: [nearest_in_pixel(sweeps, camera) for camera in cameras])
    return lines, counts, 1e3 * (read_s / len(tokens) + nearest_s / len(middle))


def watched(stages: Sequence[Stage], work: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    """Processor seconds of each stage without those of stages that it calls, and what the work returned."""
    watch = Stopwatch()
    with ExitStack() as stack:
        for stage in stages:
            for owner, name in stage.functions:
                stack.enter_context(patch.object(owner, name, watch.timed(getattr(owner, name), stage.name)))
        made = work()
    return watch.seconds, made


def count(cloud: Cloud, cameras: Sequence[Camera], tokens: int, keyframes: int, stored: int) -> Counts:
    """What a keyframe of these cameras consists of."""
    seen = covering = cells = known = 0
    for camera in cameras:
        coarse = working_camera(camera, working_step(camera, speed.FULL.surfels))
        visible = frustum.select_visible(cloud, coarse, speed.FULL)
        seen, covering = seen + len(visible.surfels), covering + len(visible.projected.rows)
        cells += coarse.height_px * coarse.width_px
        front = renderer.front_surface(visible, coarse, speed.FULL.surfels).front
        known += int((front.best >= 0).sum())
    movers = sum(len(surfels) for _, surfels in cloud.movers)
    return Counts(
        points=(len(cloud.static) + len(cloud.transient) + movers) / tokens,
        asked=len(speed.FULL.free_space.sweeps),
        seen=seen / keyframes,
        movers=movers / tokens,
        covering=covering / keyframes,
        cells=cells / keyframes,
        known=known / keyframes,
        pixels=sum(camera.height_px * camera.width_px for camera in cameras) / keyframes,
        stored=stored / keyframes,
    )


def operations_per_s() -> float:
    """Multiplications and additions of float32 that a matrix product does in a second, the best of several."""
    a = np.ones((768, 768), dtype=np.float32)
    return max(2 * len(a) ** 3 / speed.timed(lambda: a @ a)[0] for _ in range(5))


def budget_table(lines: Sequence[Line], title: str) -> Table:
    """A line for each stage, and their sums."""
    out = Table("stage", title=title, title_justify="left")
    for column in ("ms", "MB moved", "floor ms", "times the floor"):
        out.add_column(column, justify="right")
    for line in [*lines, total(lines)]:
        out.add_row(line.stage, *cells_of(line))
    return out


def total(lines: Sequence[Line]) -> Line:
    """The sum of all lines."""
    return Line("all", *(sum(getattr(line, name) for line in lines) for name in ("ms", "moved_mb", "floor_ms")))


def cells_of(line: Line) -> tuple[str, ...]:
    """The figures of a line."""
    return f"{line.ms:.0f}", f"{line.moved_mb:.1f}", f"{line.floor_ms:.1f}", f"{line.ms / line.floor_ms:.0f}"


def markdown(lines: Sequence[Line], total_ms: float, baseline_ms: float) -> str:
    """The table for the documentation."""
    rows = ["| stage | ms | MB moved | floor ms | times the floor |", "| --- | ---: | ---: | ---: | ---: |"]
    rows += [f"| {line.stage} | {' | '.join(cells_of(line))} |" for line in [*lines, total(lines)]]
    rows += ["", f"numpy's nearest in each pixel: {baseline_ms:.0f} ms; {total_ms / baseline_ms:.2f} times as long."]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
