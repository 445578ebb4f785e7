"""One self-contained HTML page about a depth store: nothing is loaded from elsewhere."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

import densegt
from densegt.depth.evaluate import Evaluation, evaluate_stores
from densegt.depth.figures import DEFINITIONS, in_words
from densegt.depth.partial_file import check_writable, write_whole
from densegt.depth.store import ImageRecord, SceneReader, scene_files
from densegt.errors import InputError
from densegt.report import draw
from densegt.report.content import Contents, contents, css, depth_legend, source_legend, uncertainty_legend
from densegt.report.plots import plots
from densegt.report.step_counter import StepCounter
from densegt.report.tiles import Key, KeyframeTiles, draw_tiles, select_keyframes

Progress = Callable[[int, int], None]


def write_report(
    depth_dir: Path,
    image_root: Path,
    out: Path,
    *,
    truth_dir: Path | None = None,
    max_images: int = 36,
    progress: Progress = lambda done, total: None,
) -> int:
    """Write the page, replacing an older one.

    Args:
        depth_dir: the store it is about.
        image_root: folder that the images' `filename` in the store is relative to.
        truth_dir: store of exact depth; without one, `image_root/exact` is used if it is there and fits.
        max_images: show at most so many.
        progress: called with (steps done, steps in all).

    Returns:
        Number of images shown.

    Raises:
        InputError: no store, an image is missing, or the truth does not fit.
    """
    readers = {r.scene: r for r in map(SceneReader, scene_files(depth_dir))}
    check_writable(out)
    chosen = select_keyframes({name: reader.keys for name, reader in readers.items()}, max_images)
    shown = sum(len(keys) for keyframes in chosen.values() for keys in keyframes)
    tick = StepCounter(progress, 2 * sum(map(len, readers.values())) + shown)
    evaluation, why_not = _evaluate(depth_dir, truth_dir, image_root / "exact", tick)
    truth_dir = (truth_dir or image_root / "exact") if evaluation else None
    scenes = {name: contents(reader, tick) for name, reader in readers.items()}
    truths = {p.stem: SceneReader(p) for p in scene_files(truth_dir)} if truth_dir else {}
    pictures = {
        name: [_keyframe_tiles(readers[name], truths.get(name), keys, image_root, tick) for keys in keyframes]
        for name, keyframes in chosen.items()
    }
    page = _render(
        title="Depth of " + (", ".join(readers) if len(readers) <= 3 else _count(len(readers), "scene")),
        depth_dir=str(depth_dir),
        truth_dir=str(truth_dir or ""),
        scenes=scenes,
        evaluation=evaluation,
        plots=plots(evaluation.summary) if evaluation else [],
        pictures=pictures,
        notes=[note for note in (_left_out(scenes, chosen, shown), why_not) if note],
        configs=_configs({name: reader.config for name, reader in readers.items()}),
    )
    write_whole(out, page.encode())
    return shown


def _evaluate(
    depth_dir: Path, truth_dir: Path | None, by_the_data: Path, tick: StepCounter
) -> tuple[Evaluation | None, str]:
    """Score against the truth that was asked for, or the one that lies by the data; or say why that one is not used."""
    if truth_dir is not None:
        return evaluate_stores(depth_dir, truth_dir, progress=lambda *_: tick()), ""
    if not by_the_data.is_dir():
        return None, ""
    try:
        return evaluate_stores(depth_dir, by_the_data, progress=lambda *_: tick()), ""
    except InputError as error:  # nobody asked for it, so the page is made without
        return None, f"{by_the_data} is not used as truth: {error}"


def _keyframe_tiles(
    reader: SceneReader, truth: SceneReader | None, keys: list[Key], image_root: Path, tick: StepCounter
) -> KeyframeTiles:
    images, stamps = [], []
    for key in keys:
        record = reader.read(*key)
        exact: ImageRecord | None = truth.read(*key) if truth and key in truth else None
        images.append(draw_tiles(record, exact, image_root))
        stamps.append(record.timestamp_us)
        tick()
    start_us = reader.read(*reader.keys[0]).timestamp_us
    return KeyframeTiles(sample_token=keys[0][0], time_s=(min(stamps) - start_us) / 1e6, images=images)


def _left_out(scenes: Mapping[str, Contents], chosen: Mapping[str, list[list[Key]]], shown: int) -> str:
    total = sum(s.images for s in scenes.values())
    if shown == total:
        return ""
    rest = _count(len(scenes) - len(chosen), "scene")
    also = f", {rest} not at all" if len(chosen) < len(scenes) else ""
    return f"{shown} of {_count(total, 'image')} are shown, spread evenly{also}; the figures count all of them."


def _count(n: int, what: str) -> str:
    return f"{n} {what}" + ("" if n == 1 else "s")


def _configs(by_scene: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Configurations as text, scenes of the same one together."""
    groups: dict[str, list[str]] = {}
    for name, config in by_scene.items():
        groups.setdefault(json.dumps(config, indent=2, sort_keys=True), []).append(name)
    return [(", ".join(names), text) for text, names in groups.items()]


def _render(**values: Any) -> str:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["in_words"] = lambda source: in_words(source.name)
    environment.filters["figure"] = lambda x, digits=2: "–" if x is None else f"{x:.{digits}f}"  # noqa: RUF001
    template = environment.from_string(files("densegt.report").joinpath("page.html.j2").read_text(encoding="utf-8"))
    return template.render(
        **values,
        version=densegt.__version__,
        python=platform.python_version(),
        numpy=np.__version__,
        definitions=DEFINITIONS,
        depth_legend=depth_legend(),
        source_legend=source_legend(),
        uncertainty_legend=uncertainty_legend(),
        error_legend=_error_legend(),
        sources=[s for s in draw.SOURCE_COLOURS if s != 0],
    )


def _error_legend() -> list[tuple[str, str]]:
    return [
        (css(draw.RIGHT), "right, within max(0.5 m, 5 %) in the 3×3"),  # noqa: RUF001
        (f"linear-gradient(90deg, {css(draw.TOO_FAR[0])}, {css(draw.TOO_FAR[1])})", "too far, up to 10 tolerances"),
        (f"linear-gradient(90deg, {css(draw.TOO_NEAR[0])}, {css(draw.TOO_NEAR[1])})", "too near, likewise"),
        (css(draw.FALSE_POSITIVE), "depth where there is no surface"),
        (css(draw.NOT_PREDICTED), "no depth, but a surface"),
        (css(draw.NOTHING), "neither"),
    ]
