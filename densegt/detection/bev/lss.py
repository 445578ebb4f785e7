"""Lift-Splat: images to depth, depth and features to the ground plane, the ground plane to answers."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from densegt.datasets.detection_classes import ATTRIBUTES, CLASSES
from densegt.detection.bev.backbone import Backbone
from densegt.detection.bev.heads import CentreHead, Centres, SegmentationHead
from densegt.detection.bev.lift import Lift
from densegt.detection.bev.model_config import ModelConfig
from densegt.detection.bev.pyramid import Pyramid
from densegt.detection.depth_head.depth_net import CameraAwareDepthNet, DepthNet, camera_numbers
from densegt.detection.depth_head.edge_aware import EdgeInput, FineDepth
from densegt.detection.depth_head.sampling import Samples, build_sampler, contrast


class LssOutput(NamedTuple):
    """What the network says of B samples with V views.

    Attributes:
        logits: (B*V,D,h,w) over the bins.
        samples: of the B*V views: where their features were laid down.
        vehicles: logits (B,Y,X).
        centres: see `Centres`.
        fine: logits (B*V,D,8h,8w) over the bins, in training with `fine_depth` only.
    """

    logits: Tensor
    samples: Samples
    vehicles: Tensor
    centres: Centres
    fine: Tensor | None = None


class LiftSplat(nn.Module):
    """The whole network.

    With `frames` 2 the views of the keyframe before are laid down on the same grid, where the ego's motion, which is in
    their T_ref_cam, puts them, and stand beside the present ones.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        c, bins = config, config.bins.made()
        self.backbone = Backbone(
            c.backbone, c.features, stride=c.stride, widths=c.backbone_widths, pretrained=c.pretrained
        )
        self.depth_net = (
            CameraAwareDepthNet(c.features, bins.count, c.context, width=c.depth_width)
            if c.camera_aware
            else DepthNet(c.features, bins.count, c.context)
        )
        self.fine = FineDepth(c.features, bins.count, width=c.depth_width) if c.fine_depth else None
        self.edge_input = EdgeInput(c.features, stride=c.stride, max_m=bins.max_m) if c.edge_input else None
        self.sampler = build_sampler(c.sampling, bins, channels=c.context, samples=c.samples)
        self.lift = Lift(c.grid.made(), stride=c.stride)
        self.bev_net = Pyramid(c.frames * c.context, c.bev_channels, widths=c.bev_widths, blocks=c.bev_blocks)
        self.vehicles = SegmentationHead(c.bev_channels)
        self.centres = CentreHead(c.bev_channels, classes=len(CLASSES), attributes=len(ATTRIBUTES))

    def forward(self, images: Tensor, K: Tensor, T_ref_cam: Tensor, sweep_m: Tensor | None = None) -> LssOutput:
        """Images (B,V,3,H,W), K (B,V,3,3), T_ref_cam (B,V,4,4), sweep_m (B,V,H,W), as in `Batch`.

        Raises:
            ValueError: the configuration has `edge_input`, and there is no sweep.
        """
        views = images.flatten(0, 1)  # (B*V,3,H,W)
        features = self.backbone(views)  # (B*V,C,h,w)
        if self.edge_input is not None:
            if sweep_m is None:
                raise ValueError("this network takes the lidar's sweep as well")
            features = features + self.edge_input(sweep_m.flatten(0, 1))
        camera = camera_numbers(K, T_ref_cam, (images.shape[-2], images.shape[-1]))
        logits, context = self.depth_net(features, camera)
        samples = self.sampler(logits, context, contrast(views, stride=self.config.stride))
        bev = self.bev_net(self._laid_down(samples, K, T_ref_cam))  # (B,bev_channels,Y,X)
        fine = None if self.fine is None or not self.training else self.fine(features)
        return LssOutput(logits, samples, self.vehicles(bev), self.centres(bev), fine)

    def _laid_down(self, samples: Samples, K: Tensor, T_ref_cam: Tensor) -> Tensor:
        """(B,frames*context,Y,X)."""
        frames, V = self.config.frames, K.shape[1]
        if frames == 1:
            bev: Tensor = self.lift(samples, K, T_ref_cam)
            return bev
        # Each frame as if it were a sample of its own.
        split = (frames * len(K), V // frames)
        bev = self.lift(samples, K.reshape(*split, 3, 3), T_ref_cam.reshape(*split, 4, 4))
        return bev.reshape(len(K), frames * bev.shape[1], *bev.shape[2:])
