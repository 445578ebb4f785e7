"""The two graphs of a Lift-Splat: what looks at each image, and what looks at the ground plane."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from densegt.datasets.detection_classes import CLASSES, MAX_BOXES
from densegt.detection.bev.backbone import MEAN, SMALL, STD
from densegt.detection.bev.lss import LiftSplat
from densegt.detection.bev.task import LssTask
from densegt.detection.data.batch import Batch
from densegt.detection.depth_head.depth_net import DepthNet
from densegt.errors import InputError
from densegt.quantisation.dense_part import OUTPUTS, DensePart
from densegt.quantisation.ranges import Inputs


class ViewGraph(nn.Module):
    """An image (1,3,H,W), colours as the backbone wants them, to logits of depth and features (1,D+C,h,w)."""

    def __init__(self, net: LiftSplat) -> None:
        super().__init__()
        depth_net = net.depth_net
        assert isinstance(depth_net, DepthNet)
        self.trunk, self.neck, self.head = net.backbone.trunk, net.backbone.neck, depth_net.head

    def forward(self, image: Tensor) -> Tensor:
        """See the class."""
        pixels: Tensor = self.head(self.neck(*self.trunk(image)))
        return pixels


class GroundGraph(nn.Module):
    """What was laid down (1,C,Y,X) to vehicles and centres."""

    def __init__(self, net: LiftSplat) -> None:
        super().__init__()
        self.bev_net, self.vehicles, self.centres = net.bev_net, net.vehicles.net, net.centres

    def forward(self, bev: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        said = self.bev_net(bev)
        return (self.vehicles(said), *self.centres(said))


def lift_parts(task: LssTask, checkpoint: Path) -> tuple[DensePart, DensePart]:
    """Both graphs; the second is calibrated with what the float network lays down.

    Raises:
        InputError: the network has what no graph here has.
    """
    net = task.net
    _require_plain(net, checkpoint)

    def images(batch: Batch) -> list[Inputs]:
        shown = (batch["images"].flatten(0, 1) - net.backbone.mean) / net.backbone.std
        return [{"image": image.unsqueeze(0)} for image in shown]

    def ground(batch: Batch) -> list[Inputs]:
        with torch.no_grad():
            pixels = torch.cat([views(**each) for each in images(batch)])
            logits, context = torch.split(pixels, [net.config.bins.count, net.config.context], 1)
            # Fixed samples do not look at the image's contrast.
            samples = net.sampler(logits, context, logits.new_zeros(0))
            return [{"bev": net.lift(samples, batch["K"], batch["T_ref_cam"]).contiguous()}]

    views = ViewGraph(net)
    reader = _reader(task)
    return (
        DensePart(views, images, ("pixels",), reader),
        DensePart(GroundGraph(net), ground, ("vehicles", *OUTPUTS), reader),
    )


def _require_plain(net: LiftSplat, checkpoint: Path) -> None:
    c = net.config
    missing = {
        f"backbone {c.backbone}": c.backbone != SMALL,
        "camera_aware": c.camera_aware,
        f"sampling {c.sampling}": c.sampling != "fixed",
        "frames 2": c.frames != 1,
        "edge_input": c.edge_input,
    }
    found = [name for name, there in missing.items() if there]
    if found:
        what = ", ".join(found)
        raise InputError(f"{checkpoint}: of Lift-Splats the small one with fixed samples can be quantised, not {what}")


def _reader(task: LssTask) -> dict[str, Any]:
    config, grid = task.settings.model, task.net.lift.grid
    return {
        "kind": "views",
        "grid": asdict(grid),
        "size": list(config.size),
        "stride": config.stride,
        "depths_m": config.bins.made().centres_m().tolist(),
        "mean": list(MEAN),
        "std": list(STD),
        "image": asdict(task.settings.augmentation.made().image),
        "max_boxes": MAX_BOXES,
        "min_overlap": None,
        "classes": list(CLASSES),
        "min_points": task.settings.min_points,
        "categories": dict(task.settings.categories),
    }
