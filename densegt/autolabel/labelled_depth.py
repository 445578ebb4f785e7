"""Accumulation that takes labels of `densegt autolabel` for boxes, and their shapes for what no beam reached."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from densegt.accumulation.job import AccumulateJob
from densegt.accumulation.scene_input import ExaminedScene
from densegt.autolabel.job import knowledge
from densegt.autolabel.labels import Label
from densegt.autolabel.publish import read_labels
from densegt.autolabel.shape_depth import filled, shape_image
from densegt.datasets.scene import Camera
from densegt.depth.depth_map import DepthMap
from densegt.depth.hdf5_file import read_header
from densegt.errors import InputError


@dataclass(frozen=True)
class LabelledDepthJob(AccumulateJob):
    """See `AccumulateJob`; the recording's own boxes are not looked at.

    Attributes:
        labels: folder of `densegt autolabel`.
    """

    labels: Path = Path()

    def check(self) -> None:
        """Open the recording, and look for the labels.

        Raises:
            InputError: it cannot be opened, or there are no labels.
        """
        super().check()
        if not self.labels.is_dir():
            raise InputError(f"{self.labels}: no such folder; densegt autolabel --out {self.labels} makes it")
        if self.labels.resolve() == self.out.resolve():
            raise InputError(f"{self.out}: --out is the folder of labels that is read; name another folder")

    def saved_config(self, scene: str) -> dict[str, Any]:
        """With what decides the labels."""
        said = hashlib.sha256(self._path(scene).read_bytes()).hexdigest() if scene else ""
        return super().saved_config(scene) | {"labels": said}

    def _path(self, scene: str) -> Path:
        path = self.labels / f"{scene}.h5"
        if not path.is_file():
            raise InputError(f"{path}: no such file; densegt autolabel --scene {scene} --out {self.labels}")
        return path

    def _examined(self, name: str) -> ExaminedScene:
        examined = super()._examined(name)
        tracks = tuple(label.track for label in verified_labels(self._path(name)))
        return replace(examined, scene=replace(examined.scene, tracks=tracks))

    def _finish(self, scene: str) -> Callable[[Camera, DepthMap], DepthMap]:
        path = self._path(scene)
        prior = read_header(path).config.get("prior")
        labels, decoder = verified_labels(path), knowledge(None if prior is None else Path(prior)).prior.decoder

        def fill(camera: Camera, depth: DepthMap) -> DepthMap:
            # What was not measured about then may be hidden.
            seen = [one for one in labels if camera.sample_token in one.sample_tokens]
            return filled(depth, shape_image(seen, camera, decoder))

        return fill


def verified_labels(path: Path) -> tuple[Label, ...]:
    """A scene's labels that passed verification.

    Raises:
        InputError: the file cannot be read.
    """
    return tuple(label for label in read_labels(path).labels if label.verified)
