"""The verbs of `import densegt`; the commands call the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from densegt.accumulation import pipeline
from densegt.accumulation.cloud import Cloud
from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.job import AccumulateJob
from densegt.accumulation.point_cloud import POINTS_ALONE, cloud_of_points
from densegt.accumulation.render.renderer import render
from densegt.accumulation.scene_input import read_scene
from densegt.batch.executor import Executor, Local, Serial
from densegt.batch.job import SceneResult
from densegt.batch.progress import RunProgress
from densegt.batch.run import run_scenes
from densegt.datasets import RecordingPath
from densegt.datasets.recording import Recording, check_cameras
from densegt.datasets.scene import Camera
from densegt.depth.depth_map import DepthMap
from densegt.depth.depth_store import DepthStore
from densegt.depth.evaluate import Evaluation, evaluate_stores
from densegt.errors import InputError

AnyRecording = Recording | RecordingPath | Path | str


def accumulate(
    recording: AnyRecording,
    out: Path | str,
    *,
    scenes: Sequence[str] = (),
    cameras: Sequence[str] = (),
    config: AccumulateConfig | None = None,
    workers: int = 1,
    overwrite: bool = False,
    progress: Callable[[RunProgress], None] = lambda progress: None,
) -> DepthStore:
    """Dense depth of every keyframe camera, written to a depth store.

    Scenes that are finished are skipped, so after an interruption the same call goes on.

    Args:
        recording: opened, or where it lies.
        out: folder of the store.
        scenes, cameras: these only; all where empty.
        config: None is the default.
        workers: scenes at the same time, each in a process of its own.
        overwrite: also make scenes again that are finished.
        progress: called after every sweep and image.

    Raises:
        InputError: the recording cannot be read, the folder holds other depth, or a scene failed; names the first.
    """
    path = _path(recording)
    job = AccumulateJob(path, Path(out), config or AccumulateConfig(), tuple(cameras), overwrite)
    names = list(scenes) or list(job.opened.scene_names)
    check_cameras(job.opened, names, job.cameras)
    _check(run_scenes(job, names, executor=_executor(workers), progress=progress))
    return DepthStore(out)


def accumulate_scene(
    recording: AnyRecording,
    scene: str,
    *,
    cameras: Sequence[str] = (),
    config: AccumulateConfig | None = None,
    threads: int = 1,
) -> Iterator[tuple[Camera, DepthMap]]:
    """Dense depth of one scene's keyframe cameras, in order of time; nothing is written.

    Args:
        threads: at work on the scene; depth is the same for any number.

    Raises:
        InputError: unknown scene or camera, a file is missing or damaged.
    """
    config = config or AccumulateConfig()
    read = read_scene(_opened(recording), scene, config, cameras=cameras)
    return pipeline.accumulate_scene(read, config, threads=threads)


def build_cloud(recording: AnyRecording, scene: str, *, config: AccumulateConfig | None = None) -> Cloud:
    """One scene's cloud, for `densegt.render`.

    Raises:
        InputError: unknown scene, a file is missing or damaged.
    """
    config = config or AccumulateConfig()
    return pipeline.build_cloud(read_scene(_opened(recording), scene, config), config)


def render_points(xyz_global: ArrayLike, camera: Camera, *, config: AccumulateConfig = POINTS_ALONE) -> DepthMap:
    """Points (N,3) in global seen by a camera: what is hidden behind nearer surfaces is left out, gaps are closed.

    Args:
        camera: see `virtual_camera`.
        config: its surfels, surface and depth limit are used.

    Raises:
        ValueError: points are not (N,3).
    """
    return render(cloud_of_points(np.asarray(xyz_global, dtype=np.float64)), camera, config)


def virtual_camera(
    K: ArrayLike, T_global_cam: ArrayLike, *, width_px: int, height_px: int, timestamp_us: int = 0
) -> Camera:
    """A camera of one's own: K (3,3) px, T_global_cam (4,4); cam is x right, y down, z ahead.

    Args:
        timestamp_us: its exposure; dynamic objects of a cloud are placed at this time.

    Raises:
        ValueError: K or the pose is none.
    """
    return Camera(
        token="virtual", sample_token="", channel="VIRTUAL", image_path=Path("virtual camera"), filename="",
        width_px=width_px, height_px=height_px, timestamp_us=timestamp_us, K=np.asarray(K, dtype=np.float64),
        T_ego_cam=np.eye(4), T_global_ego=np.asarray(T_global_cam, dtype=np.float64),
    )  # fmt: skip


def complete(
    recording: AnyRecording,
    depth: DepthStore | Path | str,
    out: Path | str,
    *,
    method: str = "auto",
    scenes: Sequence[str] = (),
    workers: int = 1,
    overwrite: bool = False,
) -> DepthStore:
    """A depth store without gaps, guided by the images, with an uncertainty for each pixel.

    Args:
        recording: where the images lie.
        method: auto, classical, network or prompt-depth-anything; auto takes what the network's validation favours.

    Raises:
        InputError: store or images cannot be read, the folder holds other depth, or a scene failed; names the first.
    """
    from densegt.completion.job import CompletionJob

    store = depth if isinstance(depth, DepthStore) else DepthStore(depth)
    root = Path(recording) if isinstance(recording, Path | str) else recording.root
    job = CompletionJob(root, store.path, Path(out), method, overwrite=overwrite)
    _check(run_scenes(job, list(scenes) or store.scene_names, executor=_executor(workers)))
    return DepthStore(out)


def evaluate(pred: DepthStore | Path | str, truth: DepthStore | Path | str, *, max_depth_m: float = 60.0) -> Evaluation:
    """Depth against depth, by kind of object, range, source and edge.

    Args:
        truth: a store taken as exact, such as `exact` of a simulated world.
        max_depth_m: truth nearer than this is counted.

    Raises:
        InputError: a store cannot be read, or they have nothing in common.
    """
    paths = (store.path if isinstance(store, DepthStore) else Path(store) for store in (pred, truth))
    return evaluate_stores(*paths, max_depth_m=max_depth_m)


@dataclass(frozen=True)
class _Opened(RecordingPath):
    """A recording that is open already; another process receives it pickled and opens it for itself."""

    recording: Recording | None = None

    def open(self) -> Recording:
        assert self.recording is not None
        return self.recording


def _path(recording: AnyRecording) -> RecordingPath:
    if isinstance(recording, RecordingPath):
        return recording
    if isinstance(recording, Path | str):
        return RecordingPath(Path(recording))
    return _Opened(recording.root, recording=recording)


def _opened(recording: AnyRecording) -> Recording:
    return _path(recording).open() if isinstance(recording, RecordingPath | Path | str) else recording


def _executor(workers: int) -> Executor:
    return Serial() if workers == 1 else Local(workers)


def _check(results: Sequence[SceneResult]) -> None:
    failed = [result for result in results if result.status == "failed"]
    if failed:
        more = f" ({len(failed)} of {len(results)} scenes failed)" if len(failed) > 1 else ""
        raise InputError(f"{failed[0].name}: {failed[0].error}{more}")
