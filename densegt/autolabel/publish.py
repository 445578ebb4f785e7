"""Labels as files: one a scene, and of all scenes nuScenes' result JSON and tracks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.autolabel.labels import Label
from densegt.datasets.detection_classes import MAX_BOXES, class_of
from densegt.depth.hdf5_file import WholeFile, datasets_of, made_from, opened, read_header
from densegt.depth.layer_codec import FILTERS, encode_layer
from densegt.depth.partial_file import write_whole
from densegt.depth.read_layer import read_array
from densegt.errors import InputError
from densegt.geometry.se3 import to_quaternion

FORMAT = "densegt-labels"
META = {"use_camera": False, "use_lidar": True, "use_radar": False, "use_map": False, "use_external": False}
# Larger than any scene's labels.
MAX_BYTES = 1 << 28


@dataclass(frozen=True)
class SceneLabels:
    """A scene's labels, and all its keyframes' sample tokens."""

    scene: str
    sample_tokens: tuple[str, ...]
    labels: tuple[Label, ...]


class LabelsWriter(WholeFile):
    """Writes a scene's labels as HDF5.

    Datasets by label (N): size_lwh_m, probability, verified, code, T_box_shape; by box (B): label, T_global_box,
    velocity_mps, points; by knot (M): knot_label, knots_us, T_global_knots; and `text`, JSON in UTF-8: scene, samples,
    and of each label token, category, family and the sample tokens of its boxes. What has no rows is left out.
    """

    def __init__(self, path: Path, config: Mapping[str, Any], input_digest: str) -> None:
        super().__init__(path, FORMAT, made_from(config, input_digest), overwrite=True)

    def write(self, found: SceneLabels) -> None:
        """Add all labels."""
        labels = found.labels
        said = {
            "scene": found.scene,
            "samples": found.sample_tokens,
            "labels": [[one.token, one.category, one.family, list(one.sample_tokens)] for one in labels],
        }
        arrays: dict[str, NDArray[Any]] = {"text": np.frombuffer(json.dumps(said).encode(), dtype=np.uint8)}
        if labels:
            arrays |= {
                "size_lwh_m": np.stack([one.size_lwh_m for one in labels]),
                "probability": np.array([one.probability for one in labels], dtype=np.float64),
                "verified": np.array([one.verified for one in labels], dtype=np.uint8),
                "code": np.stack([one.code for one in labels]),
                "T_box_shape": np.stack([one.T_box_shape for one in labels]),
                "label": np.repeat(np.arange(len(labels)), [len(one.sample_tokens) for one in labels]),
                "T_global_box": np.concatenate([one.T_global_box for one in labels]),
                "velocity_mps": np.concatenate([one.velocity_mps for one in labels]),
                "points": np.concatenate([one.points for one in labels]).astype(np.int64),
                "knot_label": np.repeat(np.arange(len(labels)), [len(one.knots_us) for one in labels]),
                "knots_us": np.concatenate([one.knots_us for one in labels]).astype(np.int64),
                "T_global_knots": np.concatenate([one.T_global_knots for one in labels]),
            }
        for name, array in arrays.items():
            dtype = array.dtype.newbyteorder("<")
            stored = self._file.create_dataset(name, array.shape, dtype, chunks=array.shape, **FILTERS)
            stored.id.write_direct_chunk((0,) * array.ndim, encode_layer(array))
        self._sink.check()


def write_labels(path: Path, found: SceneLabels, config: Mapping[str, Any], input_digest: str) -> None:
    """Write a scene's labels; a file under its final name is whole."""
    with LabelsWriter(path, config, input_digest) as writer:
        writer.write(found)


def read_labels(path: Path) -> SceneLabels:
    """What `write_labels` wrote.

    Raises:
        InputError: no file of labels, cut off or damaged.
    """
    with opened(path, (FORMAT,)) as (file, _):
        data = datasets_of(file)
        if sum(part.size * part.dtype.itemsize for part in data.values()) > MAX_BYTES:
            raise InputError(f"{path}: larger than any scene's labels")
        arrays = {name: read_array(part, name) for name, part in data.items()}
        said = json.loads(arrays["text"].tobytes().decode())
        return SceneLabels(str(said["scene"]), tuple(said["samples"]), tuple(_labels(said["labels"], arrays)))


def labels_path(folder: Path, scene: str) -> Path:
    """A scene's file in a folder of `densegt autolabel`.

    Raises:
        InputError: there is none.
    """
    path = folder / f"{scene}.h5"
    if not path.is_file():
        raise InputError(f"{path}: no such file; densegt autolabel --scene {scene} --out {folder} makes it")
    return path


def verified_labels(path: Path) -> tuple[Label, ...]:
    """A scene's labels that passed verification.

    Raises:
        InputError: the file cannot be read.
    """
    return tuple(label for label in read_labels(path).labels if label.verified)


def prior_path(path: Path) -> Path | None:
    """The shape prior that a scene's labels were made with; None for the one that ships."""
    prior = read_header(path).config.get("prior")
    return None if prior is None else Path(prior)


def _labels(said: Sequence[tuple[str, str, str, Sequence[str]]], of: Mapping[str, NDArray[Any]]) -> Iterator[Label]:
    for k, (token, category, family, samples) in enumerate(said):
        rows, knots = of["label"] == k, of["knot_label"] == k
        if rows.sum() != len(samples):
            raise ValueError(f"{token}: {rows.sum()} boxes for {len(samples)} samples")
        yield Label(
            token,
            category,
            of["size_lwh_m"][k],
            tuple(samples),
            of["T_global_box"][rows],
            of["velocity_mps"][rows],
            of["points"][rows],
            float(of["probability"][k]),
            bool(of["verified"][k]),
            family,
            of["code"][k],
            of["T_box_shape"][k],
            of["knots_us"][knots],
            of["T_global_knots"][knots],
        )


def write_results(path: Path, scenes: Sequence[SceneLabels]) -> None:
    """Boxes as a nuScenes detection result; the score is the probability."""
    _write_rows(
        path,
        scenes,
        lambda scene, label, k: {
            "detection_name": class_of(label.category),
            "detection_score": label.probability,
            "attribute_name": attribute_of(label, k),
        },
    )


def write_tracks(path: Path, scenes: Sequence[SceneLabels]) -> None:
    """Boxes as a nuScenes tracking result."""
    _write_rows(
        path,
        scenes,
        lambda scene, label, k: {
            "tracking_id": f"{scene}-{label.token}",
            "tracking_name": class_of(label.category),
            "tracking_score": label.probability,
            "num_pts": int(label.points[k]),
        },
    )


def _write_rows(path: Path, scenes: Sequence[SceneLabels], more: Callable[[str, Label, int], dict[str, Any]]) -> None:
    results: dict[str, list[dict[str, Any]]] = {token: [] for one in scenes for token in one.sample_tokens}
    for scene in scenes:
        # The likeliest come first.
        for label in scene.labels:
            for k, token in enumerate(label.sample_tokens):
                row = {"sample_token": token, **box_fields(label, k), "velocity": label.velocity_mps[k].tolist()}
                results[token].append(row | more(scene.scene, label, k))
    results = {token: rows[:MAX_BOXES] for token, rows in results.items()}
    write_whole(path, json.dumps({"meta": META, "results": results}, indent=1).encode() + b"\n")


def box_fields(label: Label, k: int) -> dict[str, Any]:
    """Place, size and attitude in nuScenes' order."""
    length, width, height = label.size_lwh_m.tolist()
    T = label.T_global_box[k]
    return {"translation": T[:3, 3].tolist(), "size": [width, length, height], "rotation": to_quaternion(T).tolist()}


def attribute_of(label: Label, k: int) -> str:
    """nuScenes' word for how it moves."""
    moving = float(np.linalg.norm(label.velocity_mps[k])) > 0.3
    if label.category.startswith("human"):
        return "pedestrian.moving" if moving else "pedestrian.standing"
    if label.category == "vehicle.bicycle":
        return "cycle.with_rider"
    return "vehicle.moving" if moving else "vehicle.parked"
