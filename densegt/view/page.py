"""One self-contained HTML page to look around in: nothing is loaded from elsewhere, so it works from a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import densegt
from densegt.accumulation.cloud import Cloud
from densegt.accumulation.pipeline import build_cloud
from densegt.accumulation.scene_input import read_scene
from densegt.datasets import RecordingPath
from densegt.depth.partial_file import check_writable, write_whole
from densegt.depth.selection import select_images, select_scenes
from densegt.depth.store import SceneReader, scene_files
from densegt.errors import InputError
from densegt.install_hint import install_command
from densegt.occupancy.store import OccupancyReader
from densegt.report.camera_order import camera_order
from densegt.report.step_counter import StepCounter
from densegt.view.cloud import SceneCloud, scene_cloud
from densegt.view.codec import encode_bytes, encode_uint16
from densegt.view.legend import LAYERS, legend
from densegt.view.made_from import config_of
from densegt.view.pixels import Pixels, pixels_of
from densegt.view.votes import ShownVotes, keyframe_votes, votes_file
from densegt.view.voxels import ShownVoxels, encoded, occupancy_reader
from densegt.view.worst import WorstPixels

if TYPE_CHECKING:
    from densegt.view.labels import ShownLabel, ShownSceneLabels

Progress = Callable[[int, int], None]
SCRIPTS = ("three.min.js", "codec.js", "picture.js", "zoom.js", "voxels.js", "cloud.js", "page.js")
# Of a keyframe's points that stand, one of so many static points' number is shown with its vote.
VOTES_SHARE = 20
# Called with a scene's reader, its whole cloud, and the keyframes' times (M,) us.
Export = Callable[[SceneReader, Cloud, NDArray[np.int64]], None]


@dataclass(frozen=True)
class Choice:
    """The part of a store that is shown.

    Attributes:
        scenes: names; the first of the store where empty.
        cameras: channels; all where empty.
        every: every n-th keyframe.
        downscale: factor by which images are made smaller.
        max_points: of the static cloud; 0 leaves the cloud out.
        labels_dir: labels of `densegt autolabel` to show too.
        votes_dir: votes of `densegt predict-motion` to show too.
    """

    scenes: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    every: int = 1
    downscale: int = 1
    max_points: int = 120_000
    labels_dir: Path | None = None
    votes_dir: Path | None = None


@dataclass(frozen=True)
class Shown:
    """Content of a page: scenes, number of images, number of scenes left out, size of the file."""

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
    occupancy_dir: Path | None = None,
    exports: Sequence[Export] = (),
    progress: Progress = lambda done, total: None,
) -> Shown:
    """Write the page, replacing an older one.

    Args:
        depth_dir: the store to show.
        recording: where the images and, for the cloud, the sweeps lie.
        truth_dir: store of exact depth; without one, `exact` in the recording's folder is used for the scenes it has.
        occupancy_dir: store of voxels to show in the cloud's place.
        exports: further files to write of each scene with a cloud.
        progress: called with (steps done, steps in all).

    Raises:
        InputError: no store, nothing of that name in it, an image or sweep is missing, or truth, voxels or votes do not
            fit.
    """
    paths = select_scenes(depth_dir, choice.scenes)
    readers = [SceneReader(path) for path in (paths if choice.scenes else paths[:1])]
    keys = {reader.scene: _chosen_keys(reader, choice) for reader in readers}
    voxels = {reader.scene: occupancy_reader(occupancy_dir, reader.scene) for reader in readers if occupancy_dir}
    votes = {r.scene: votes_file(choice.votes_dir, r.scene) for r in readers} if choice.votes_dir else {}
    found = recording.open() if choice.max_points else None
    check_writable(out)
    if found:
        _check_scenes(readers, found.scene_names, recording.root)
    steps = sum(map(len, keys.values())) + sum(found.steps(r.scene) for r in readers if found)
    tick = StepCounter(progress, steps)
    scenes: list[dict[str, Any]] = []
    parts: dict[str, str] = {}
    for reader in readers:
        truth = _truth(reader.scene, truth_dir, recording.root / "exact")
        labels = None if choice.labels_dir is None else read_shown(choice.labels_dir, reader.scene)
        more: dict[str, Any] = {} if labels is None else {"draw": labels.draw}
        images, worst = [], WorstPixels(reader.scene)
        for key in keys[reader.scene]:
            exact = truth.read(*key) if truth and key in truth else None
            record = reader.read(*key)
            images.append(pixels_of(record, exact, recording.root, downscale=choice.downscale, **more))
            worst.update(record, exact)
            tick()
        keyframes = _keyframes(images, len(parts), parts)
        cloud = None
        if found:
            config = config_of(reader)
            scene = read_scene(found, reader.scene, config)
            rebuilt = build_cloud(scene, config, progress=tick)
            stamps = np.array([keyframe["timestamp_us"] for keyframe in keyframes], dtype=np.int64)
            for export in exports:
                export(reader, rebuilt, stamps)
            cloud = _cloud(scene_cloud(rebuilt, stamps, max_points=choice.max_points), len(scenes), parts)
            if voxels:
                tokens = [keyframe["token"] for keyframe in keyframes]
                cloud["voxels"] = _voxels(voxels[reader.scene], tokens, rebuilt.origin_global_m, len(scenes), parts)
            if votes:
                few = choice.max_points // VOTES_SHARE
                said = keyframe_votes(scene, votes[reader.scene], stamps, rebuilt.origin_global_m, max_points=few)
                cloud["votes"] = [_votes(one, f"c{len(scenes)}-n{k}", parts) for k, one in enumerate(said)]
            shown = [] if labels is None else labels.in_cloud(rebuilt.origin_global_m, stamps)
            cloud["labels"] = [_label(one, f"c{len(scenes)}-l{k}", parts) for k, one in enumerate(shown)]
        scenes.append(
            {"name": reader.scene, "keyframes": keyframes, "cloud": cloud, **worst.compute(keyframes, choice.downscale)}
        )
    content = {"scenes": scenes, "legend": legend(), "layers": LAYERS, "downscale": choice.downscale}
    page = _render(content, parts, str(depth_dir))
    write_whole(out, page)
    others = len(scene_files(depth_dir)) - len(readers)
    return Shown(tuple(r.scene for r in readers), sum(map(len, keys.values())), others, len(page))


def _check_scenes(readers: Sequence[SceneReader], known: Sequence[str], root: Path) -> None:
    for reader in readers:
        if reader.scene not in known:
            raise InputError(
                f"{reader.path}: {root} has no scene {reader.scene}; --dataroot is the folder that the depth was made "
                "from. --no-cloud shows images alone"
            )


def _chosen_keys(reader: SceneReader, choice: Choice) -> list[tuple[str, str]]:
    keys = select_images(reader, choice.cameras)
    samples = set(list(dict.fromkeys(sample for sample, _ in keys))[:: choice.every])
    return [key for key in keys if key[0] in samples]


def _truth(scene: str, truth_dir: Path | None, by_the_data: Path) -> SceneReader | None:
    path = (truth_dir or by_the_data) / f"{scene}.h5"
    if truth_dir is not None and not path.is_file():
        raise InputError(f"{path}: no such file; --truth is a store with the same scenes as --depth")
    return SceneReader(path) if path.is_file() else None


def _keyframes(images: Sequence[Pixels], first: int, parts: dict[str, str]) -> list[dict[str, Any]]:
    """Images by keyframe in order of time; what they are encoded as goes to `parts`."""
    by_sample: dict[str, list[Pixels]] = {}
    for image in images:
        by_sample.setdefault(image.sample_token, []).append(image)
    stamps_us = [int(np.mean([image.timestamp_us for image in members])) for members in by_sample.values()]
    keyframes = []
    for stamp_us, (sample, members) in zip(stamps_us, by_sample.items(), strict=True):
        cameras = []
        for image in sorted(members, key=lambda image: camera_order(image.channel)):
            name = f"p{first + len(parts)}"
            parts.update({f"{name}-{layer}": text for layer, text in image.layers.items()})
            about = {field: getattr(image, field) for field in ("channel", "filename", "size", "K", "T_global_cam")}
            cameras.append({"part": name, "layers": list(image.layers), **about})
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
    # Ranges of the transient points, which are in order of time, within a quarter second of each keyframe.
    half_s = 0.25
    ranges = [np.searchsorted(cloud.transient_s, [t - half_s, t + half_s]).tolist() for t in cloud.keyframes_s]
    return {
        "origin": cloud.origin_global_m.tolist(),
        "points": cloud.points,
        "static": _points(cloud.static, f"c{scene}-static", parts),
        "transient": {**_points(cloud.transient, f"c{scene}-transient", parts), "ranges": ranges},
        "movers": movers,
    }


def _voxels(
    reader: OccupancyReader, tokens: Sequence[str], origin_m: NDArray[np.float64], scene: int, parts: dict[str, str]
) -> list[dict[str, Any] | None]:
    """Of each keyframe what the page draws, None where the store has none."""
    return [
        encoded(ShownVoxels.of(reader.read(token)), f"c{scene}-v{k}", origin_m, parts)
        if token in reader.sample_tokens
        else None
        for k, token in enumerate(tokens)
    ]


def _votes(shown: ShownVotes, name: str, parts: dict[str, str]) -> dict[str, Any]:
    """A keyframe's votes as the page draws them; places and votes go to `parts`."""
    parts[f"{name}-moving"] = encode_bytes(shown.moving)
    return {**_points(shown.xyz, name, parts), "moving": f"{name}-moving"}


def _label(shown: ShownLabel, name: str, parts: dict[str, str]) -> dict[str, Any]:
    """A label as the page draws it; the ends of its shape's lines go to `parts`."""
    return {
        "category": shown.label.category,
        "probability": round(shown.label.probability, 3),
        "size_lwh_m": shown.label.size_lwh_m.round(3).tolist(),
        "poses": [None if np.isnan(T).any() else T.T.ravel().round(5).tolist() for T in shown.T_origin_box],
        "lines": _points(shown.lines_box, name, parts),
    }


def read_shown(folder: Path, scene: str) -> ShownSceneLabels:
    """A scene's labels; torch is needed for them alone."""
    try:
        from densegt.view.labels import ShownSceneLabels
    except ImportError as error:
        raise InputError(f"--labels: {error}; {install_command('train')}") from None
    return ShownSceneLabels.read(folder, scene)


def _points(xyz: Any, name: str, parts: dict[str, str]) -> dict[str, Any]:
    """Points (N,3) in steps of the extent / 65535, at least a centimetre: what the page draws, not what it measures."""
    low = xyz.min(axis=0).astype(np.float64) if len(xyz) else np.zeros(3)
    extent = float((xyz.max(axis=0) - low).max()) if len(xyz) else 0.0
    step_m = max(0.01, extent / 65535)
    parts[name] = encode_uint16(np.rint((xyz - low) / step_m).T)
    return {"part": name, "count": len(xyz), "low": low.round(4).tolist(), "step_m": step_m}


def _in_order(content: Mapping[str, Any], parts: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What the first picture needs, which stands before the scripts, and the rest: clouds, then images.

    A browser shows the first picture while the rest still arrives.
    """
    opening = {camera["part"] for camera in content["scenes"][0]["keyframes"][0]["cameras"]}
    first = {name: text for name, text in parts.items() if name.rpartition("-")[0] in opening}
    later = sorted(
        ((name, text) for name, text in parts.items() if name not in first), key=lambda part: part[0][0] != "c"
    )
    return first, dict(later)


def _render(content: Mapping[str, Any], parts: Mapping[str, str], depth_dir: str) -> bytes:
    import jinja2

    here = files("densegt.view")

    def read(name: str) -> str:
        return here.joinpath(name).read_text(encoding="utf-8")

    first, rest = _in_order(content, parts)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return (
        environment.from_string(read("page.html.j2"))
        .render(
            version=densegt.__version__,
            depth_dir=depth_dir,
            downscale=content["downscale"],
            style=read("page.css"),
            scripts=[read(name) for name in SCRIPTS],
            # "<" in a JSON text stands in strings only.
            content=json.dumps(content, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
            first=first,
            rest=rest,
        )
        .encode()
    )
