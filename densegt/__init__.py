"""densegt: dense-depth ground truth from driving recordings, and what it is worth.

    import densegt

    recording = densegt.open_recording("/data/nuscenes")          # nuScenes, KITTI raw, Argoverse 2, your own, ...
    store = densegt.accumulate(recording, "depth")                # every scene into a depth store; resumes
    for image in store:                                           # ImageRecord: depth_m, source, K, T_global_cam, ...
        print(image.scene, image.channel, (image.depth_m > 0).mean())

    for camera, depth in densegt.accumulate_scene(recording, "scene-0061"):
        depth.depth_m, depth.source, depth.confidence             # (H,W) arrays; nothing is written

Recordings
    open_recording      a recording of any format, as a `Recording`
    RecordingPath       where a recording lies, for what opens it in another process

Depth
    accumulate          a recording into a depth store
    accumulate_scene    one scene, image by image
    build_cloud         one scene's cloud: static surfels, and each dynamic object in its own frame
    render              a cloud seen by a camera, with visibility
    render_points       plain points (N,3) seen by a camera, with visibility
    virtual_camera      a camera of one's own
    complete            a depth store into one without gaps, but for the sky
    evaluate            a depth store against another
    AccumulateConfig    every setting of accumulate

Stores
    DepthStore          a folder of depth maps: names, images, iteration
    DepthMap, Source    one image's depth, and the codes of where it comes from
    DepthDataset        keyframes with depth and boxes as PyTorch tensors (needs torch)
    DatasetOptions      what its samples are made of

What a user can mend is raised as `InputError`, in one line that names the file.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from densegt.accumulation.config import AccumulateConfig as AccumulateConfig
    from densegt.accumulation.render.renderer import render as render
    from densegt.datasets import RecordingPath as RecordingPath
    from densegt.datasets import open_recording as open_recording
    from densegt.depth.depth_map import DepthMap as DepthMap
    from densegt.depth.depth_map import Source as Source
    from densegt.depth.depth_store import DepthStore as DepthStore
    from densegt.detection.data.depth_dataset import DatasetOptions as DatasetOptions
    from densegt.detection.data.depth_dataset import DepthDataset as DepthDataset
    from densegt.errors import InputError as InputError
    from densegt.interface import accumulate as accumulate
    from densegt.interface import accumulate_scene as accumulate_scene
    from densegt.interface import build_cloud as build_cloud
    from densegt.interface import complete as complete
    from densegt.interface import evaluate as evaluate
    from densegt.interface import render_points as render_points
    from densegt.interface import virtual_camera as virtual_camera

__version__ = "0.2.0"

# Where each name lives; imported when it is first asked for, so that `import densegt` costs nothing.
_HOMES = {
    "AccumulateConfig": "accumulation.config",
    "DatasetOptions": "detection.data.depth_dataset",
    "DepthDataset": "detection.data.depth_dataset",
    "DepthMap": "depth.depth_map",
    "DepthStore": "depth.depth_store",
    "InputError": "errors",
    "RecordingPath": "datasets",
    "Source": "depth.depth_map",
    "accumulate": "interface",
    "accumulate_scene": "interface",
    "build_cloud": "interface",
    "complete": "interface",
    "evaluate": "interface",
    "open_recording": "datasets",
    "render": "accumulation.render.renderer",
    "render_points": "interface",
    "virtual_camera": "interface",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'densegt' has no attribute {name!r}")
    value = getattr(import_module(f"densegt.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
