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
from densegt.autolabel.publish import labels_path, prior_path, verified_labels
from densegt.autolabel.shape_depth import filled, shape_image
from densegt.datasets.scene import Camera
from densegt.depth.depth_map import DepthMap
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
        said = hashlib.sha256(labels_path(self.labels, scene).read_bytes()).hexdigest() if scene else ""
        return super().saved_config(scene) | {"labels": said}

    def _examined(self, name: str) -> ExaminedScene:
        examined = super()._examined(name)
        tracks = tuple(label.track for label in verified_labels(labels_path(self.labels, name)))
        return replace(examined, scene=replace(examined.scene, tracks=tracks))

    def _finish(self, scene: str) -> Callable[[Camera, DepthMap], DepthMap]:
        path = labels_path(self.labels, scene)
        labels, decoder = verified_labels(path), knowledge(prior_path(path)).prior.decoder

        def fill(camera: Camera, depth: DepthMap) -> DepthMap:
            # What was not measured about then may be hidden.
            seen = [one for one in labels if camera.sample_token in one.sample_tokens]
            return filled(depth, shape_image(seen, camera, decoder))

        return fill
