"""What completion is trained on: images of depth stores with what is known, what was meant, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.completion.images import given_of, without_completed
from densegt.completion.method import SparseDepth
from densegt.depth.kind import Kind
from densegt.depth.store import ImageRecord, SceneReader, scene_files
from densegt.errors import InputError

Float32 = NDArray[np.float32]
# Input and target must agree this well, in the median, on what both know.
AGREE = 0.2
ASKED_IMAGES = 12
# Small things would be lost among the pixels of the road.
BY_OBJECT = (Kind.LABELLED_MOVER, Kind.UNLABELLED_MOVER, Kind.PERSON)
OF_IMAGE, MOST = 0.02, 8.0


@dataclass(frozen=True)
class Sources:
    """Folders that belong together.

    Attributes:
        dataroot: where the images lie.
        depth: store of accumulated depth.
        input: store of what is given beside thinned accumulated depth, single sweeps say.
        truth: store of exact depth, where there is one: the target instead of the accumulated.
    """

    dataroot: Path
    depth: Path
    input: Path | None = None
    truth: Path | None = None


@dataclass(frozen=True)
class ExampleKey:
    """Where an image is to be found."""

    sources: Sources
    scene: str
    sample_token: str
    channel: str


@dataclass(frozen=True)
class Example:
    """One image.

    Attributes:
        inputs: the accumulated depth, then the other store's where there is one; they share their image.
        target_m: (H,W) m, 0 = unknown or nothing there.
        weight: (H,W) how far the target is to be believed, 0 to 1; of exact depth more on small movers and people.
        exact: the target knows what is nothing: where it is 0, nothing is there.
    """

    inputs: tuple[SparseDepth, ...]
    target_m: Float32
    weight: Float32
    exact: bool


def keys_of(folders: Sequence[Sources]) -> list[ExampleKey]:
    """All images that every store of their folders has, in order of folder, scene and time.

    Raises:
        InputError: a folder has none, or its input and target know nothing in common.
    """
    found: list[ExampleKey] = []
    for sources in folders:
        mine = list(_keys_in(sources))
        if not mine:
            others = " and ".join(str(p) for p in (sources.input, sources.truth) if p)
            raise InputError(f"{sources.depth}: no image in common with {others}; were they made from one dataset?")
        _check_overlap(sources, mine)
        found += mine
    return found


def _keys_in(sources: Sources) -> list[ExampleKey]:
    others = [{p.stem: p for p in scene_files(folder)} for folder in (sources.input, sources.truth) if folder]
    keys = []
    for path in scene_files(sources.depth):
        if not all(path.stem in files for files in others):
            continue
        readers = [SceneReader(files[path.stem]) for files in others]
        mine = SceneReader(path)
        for key in mine.keys:
            if all(key in reader for reader in readers):
                keys.append(ExampleKey(sources, path.stem, *key))
    return keys


def _check_overlap(sources: Sources, keys: Sequence[ExampleKey]) -> None:
    """Raises InputError where what is given and what is meant are of different places, by a few images."""
    apart: list[Float32] = []
    for key in keys[:: max(1, len(keys) // ASKED_IMAGES)]:
        example = read_example(key)
        for given in example.inputs:
            both = (given.depth_m > 0) & (example.target_m > 0)
            apart.append(np.abs(given.depth_m[both] / example.target_m[both] - 1))
    where = f"{sources.input or sources.depth} and {sources.truth or sources.depth}"
    errors = np.concatenate(apart)
    if not len(errors):
        raise InputError(f"{where}: input and target have no pixel in common; one of them is empty or of another time")
    if np.median(errors) > AGREE:
        raise InputError(
            f"{where}: where both know depth they are {100 * np.median(errors):.0f} % apart in the median; "
            "input and target are not of the same scenes"
        )


def read_example(key: ExampleKey) -> Example:
    """Read one image and all that is known of it.

    Raises:
        InputError: something is missing, damaged or of another size.
    """
    accumulated = _record(key.sources.depth, key)
    inputs = [given_of(accumulated, key.sources.dataroot)]
    if key.sources.input is not None:
        other = _record(key.sources.input, key)
        inputs.append(SparseDepth(inputs[0].image, other.depth_m, other.source, other.K, other.layers))
    if key.sources.truth is not None:
        truth = _record(key.sources.truth, key)
        return Example(tuple(inputs), truth.depth_m, object_weight(truth), exact=True)
    weight = (accumulated.depth_m > 0).astype(np.float32)
    if "confidence" in accumulated.layers:
        weight *= accumulated.layers["confidence"].astype(np.float32) / 255
    return Example(tuple(inputs), accumulated.depth_m, weight, exact=False)


def object_weight(truth: ImageRecord) -> Float32:
    """(H,W) 1, and more on movers and people that cover little: in all as much as a share OF_IMAGE of the image.

    Args:
        truth: of an exact store; where it has no `kind` and `object_id`, all count alike.
    """
    weight = np.ones(truth.depth_m.shape, np.float32)
    if {"kind", "object_id"} <= truth.layers.keys():
        of = truth.layers["object_id"]
        counted = np.isin(truth.layers["kind"], BY_OBJECT) & (of > 0)
        pixels = np.bincount(of[counted], minlength=int(of.max(initial=0)) + 1)
        each = np.clip(OF_IMAGE * of.size / np.maximum(pixels, 1), 1, MOST).astype(np.float32)
        weight[counted] = each[of[counted]]
    return weight


def _record(folder: Path, key: ExampleKey) -> ImageRecord:
    return without_completed(_reader(folder / f"{key.scene}.h5").read(key.sample_token, key.channel))


@lru_cache(maxsize=64)
def _reader(path: Path) -> SceneReader:
    return SceneReader(path)
