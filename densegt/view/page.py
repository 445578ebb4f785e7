"""One self-contained HTML page to look around in: nothing is loaded from elsewhere, so it works from a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import densegt
from densegt.accumulate.cloud import Cloud
from densegt.accumulate.pipeline import build_cloud
from densegt.accumulate.scene_input import read_scene
from densegt.datasets import RecordingPath
from densegt.depth.export import write_whole
from densegt.depth.store import SceneReader, scene_files
from densegt.errors import InputError
from densegt.view.cloud import SceneCloud, scene_cloud
from densegt.view.codec import encode_uint16
from densegt.view.legend import legend
from densegt.view.made_from import config_of
from densegt.view.pixels import Pixels, pixels_of

Progress = Callable[[int, int], None]
# Given a scene's reader, its whole cloud, and the keyframes' times (M,) us.
Export = Callable[[SceneReader, Cloud, NDArray[np.int64]], None]
_CHANNELS = ("CAM_FRONT_LEFT", "CAM_FRONT", "CAM_FRONT_RIGHT", "CAM_BACK_LEFT", "CAM_BACK", "CAM_BACK_RIGHT")


@dataclass(frozen=True)
class Choice:
    """What of a store to show.

    Attributes:
        scenes: names; the first of the store where empty.
        cameras: channels; all where empty.
        every: each so-many-th keyframe.
        downscale: keep one of so many pixels a side.
        max_points: of the cloud's standing part; 0 leaves the cloud out.
    """

    scenes: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    every: int = 1
    downscale: int = 1
    max_points: int = 120_000


@dataclass(frozen=True)
class Shown:
    """What a page holds, and what of the store it leaves out."""

    scenes: tuple[str, ...]
    images: int
    other_scenes: int
    bytes: int


def write_view(
    depth_dir: Path,
    recording: RecordingPath,
    out: Path,
    choice: Choice,
    *,
    truth_dir: Path | None = None,
    exports: Sequence[Export] = (),
    progress: Progress = lambda done, total: None,
) -> Shown:
    """Write the page, replacing an older one.

    Args:
        depth_dir: the store to show.
        recording: where the images and, for the cloud, the sweeps lie.
        truth_dir: store of exact depth; without one, `dataroot/exact` is used for the scenes it has.
        exports: further files to write of each scene with a cloud.
        progress: told (steps done, steps in all).

    Raises:
        InputError: no store, nothing of that name in it, an image or sweep is missing, or the truth does not fit.
    """
    dataroot = recording.root
    readers = chosen_readers(depth_dir, choice.scenes)
    keys = {reader.scene: _chosen_keys(reader, choice) for reader in readers}
    found = recording.open() if choice.max_points else None
    steps = sum(map(len, keys.values())) + sum(found.steps(r.scene) for r in readers if found)
    tick = _Ticker(progress, steps)
    scenes: list[dict[str, Any]] = []
    parts: dict[str, str] = {}
    for reader in readers:
        truth = _truth(reader.scene, truth_dir, dataroot / "exact")
        shots = []
        for key in keys[reader.scene]:
            exact = truth.read(*key) if truth and key in truth else None
            shots.append(pixels_of(reader.read(*key), exact, dataroot, downscale=choice.downscale))
            tick()
        keyframes = _keyframes(shots, len(parts), parts)
        cloud = None
        if found:
            config = config_of(reader)
            rebuilt = build_cloud(read_scene(found, reader.scene, config), config, progress=tick)
            stamps = np.array([keyframe["timestamp_us"] for keyframe in keyframes], dtype=np.int64)
            for export in exports:
                export(reader, rebuilt, stamps)
            cloud = _cloud(scene_cloud(rebuilt, stamps, max_points=choice.max_points), len(scenes), parts)
        scenes.append({"name": reader.scene, "keyframes": keyframes, "cloud": cloud})
    page = _render({"scenes": scenes, "legend": legend(), "downscale": choice.downscale}, parts, str(depth_dir))
    write_whole(out, page)
    others = len(scene_files(depth_dir)) - len(readers)
    return Shown(tuple(r.scene for r in readers), sum(map(len, keys.values())), others, len(page))


def chosen_readers(depth_dir: Path, names: Sequence[str]) -> list[SceneReader]:
    """The scenes of a store asked for, the first where none is named.

    Raises:
        InputError: no store, or no scene of that name in it.
    """
    paths = {path.stem: path for path in scene_files(depth_dir)}
    for name in names:
        if name not in paths:
            raise InputError(f"{depth_dir}: no scene {name!r}; there is {', '.join(list(paths)[:5])}")
    return [SceneReader(paths[name]) for name in dict.fromkeys(names or list(paths)[:1])]


class _Ticker:
    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def __call__(self) -> None:
        self._done += 1
        self._progress(min(self._done, self._total), self._total)


def _chosen_keys(reader: SceneReader, choice: Choice) -> list[tuple[str, str]]:
    channels = sorted({channel for _, channel in reader.keys})
    for camera in choice.cameras:
        if camera not in channels:
            raise InputError(f"{reader.path}: no camera {camera!r}; there is {', '.join(channels) or 'none'}")
    samples = list(dict.fromkeys(sample for sample, _ in reader.keys))[:: choice.every]
    keys = [key for key in reader.keys if key[0] in samples and (not choice.cameras or key[1] in choice.cameras)]
    if not keys:
        raise InputError(f"{reader.path}: no image in it")
    return keys


def _truth(scene: str, truth_dir: Path | None, by_the_data: Path) -> SceneReader | None:
    path = (truth_dir or by_the_data) / f"{scene}.h5"
    if truth_dir is not None and not path.is_file():
        raise InputError(f"{path}: no such file; --truth is a store with the same scenes as --depth")
    return SceneReader(path) if path.is_file() else None


def _keyframes(shots: Sequence[Pixels], first: int, parts: dict[str, str]) -> list[dict[str, Any]]:
    """Images by keyframe in order of time; what they are encoded as goes to `parts`."""
    by_sample: dict[str, list[Pixels]] = {}
    for shot in shots:
        by_sample.setdefault(shot.sample_token, []).append(shot)
    stamps_us = [int(np.mean([shot.timestamp_us for shot in members])) for members in by_sample.values()]
    keyframes = []
    for stamp_us, (sample, members) in zip(stamps_us, by_sample.items(), strict=True):
        order = {channel: i for i, channel in enumerate(_CHANNELS)}
        cameras = []
        for shot in sorted(members, key=lambda s: (order.get(s.channel, len(order)), s.channel)):
            name = f"p{first + len(parts)}"
            parts.update({f"{name}-{layer}": text for layer, text in shot.layers.items()})
            about = {field: getattr(shot, field) for field in ("channel", "filename", "size", "K", "T_global_cam")}
            cameras.append({"part": name, "layers": list(shot.layers), **about})
        since_s = (stamp_us - stamps_us[0]) * 1e-6
        keyframes.append({"token": sample, "timestamp_us": stamp_us, "time_s": since_s, "cameras": cameras})
    return keyframes


def _cloud(cloud: SceneCloud, scene: int, parts: dict[str, str]) -> dict[str, Any]:
    """The cloud's numbers go to `parts`; how to read them, and what is small, is returned."""
    movers = []
    for k, mover in enumerate(cloud.movers):
        poses = [None if np.isnan(T).any() else T.T.ravel().round(5).tolist() for T in mover.T_origin_box]
        movers.append(
            {
                "category": mover.category,
                "labelled": mover.labelled,
                "size_lwh_m": mover.size_lwh_m.round(3).tolist(),
                "poses": poses,
                "box": _points(mover.xyz_box, f"c{scene}-m{k}-box", parts),
                "seen": _points(mover.xyz_seen, f"c{scene}-m{k}-seen", parts),
            }
        )
    # How many of the passing points, which are in order of time, come before each keyframe's quarter second.
    half_s = 0.25
    ranges = [np.searchsorted(cloud.passing_s, [t - half_s, t + half_s]).tolist() for t in cloud.keyframes_s]
    return {
        "origin": cloud.origin_global_m.tolist(),
        "points": cloud.points,
        "static": _points(cloud.static, f"c{scene}-static", parts),
        "passing": {**_points(cloud.passing, f"c{scene}-passing", parts), "ranges": ranges},
        "movers": movers,
    }


def _points(xyz: Any, name: str, parts: dict[str, str]) -> dict[str, Any]:
    """Points (N,3) in steps of the extent / 65535, at least a centimetre: what the page draws, not what it measures."""
    low = xyz.min(axis=0).astype(np.float64) if len(xyz) else np.zeros(3)
    extent = float((xyz.max(axis=0) - low).max()) if len(xyz) else 0.0
    step_m = max(0.01, extent / 65535)
    parts[name] = encode_uint16(np.rint((xyz - low) / step_m).T)
    return {"part": name, "count": len(xyz), "low": low.round(4).tolist(), "step_m": step_m}


def _render(content: Mapping[str, Any], parts: Mapping[str, str], depth_dir: str) -> bytes:
    import jinja2

    here = files("densegt.view")

    def read(name: str) -> str:
        return here.joinpath(name).read_text(encoding="utf-8")

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return (
        environment.from_string(read("page.html.j2"))
        .render(
            version=densegt.__version__,
            depth_dir=depth_dir,
            downscale=content["downscale"],
            style=read("page.css"),
            scripts=[read(name) for name in ("three.min.js", "codec.js", "picture.js", "cloud.js", "page.js")],
            # "<" in a JSON text stands in strings only.
            content=json.dumps(content, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
            parts=parts,
        )
        .encode()
    )
