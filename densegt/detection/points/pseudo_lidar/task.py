"""The training step and the validation of a detector on pseudo-LiDAR, as Lightning wants them."""

from __future__ import annotations

from typing import Any

import torch
from lightning import LightningModule
from torch import Tensor

from densegt.detection.data.dataset import Batch
from densegt.detection.points.pseudo_lidar.config import PlConfig
from densegt.detection.points.pseudo_lidar.detector import boxes_of
from densegt.detection.points.pseudo_lidar.losses import depth_losses
from densegt.detection.points.pseudo_lidar.net import PseudoLidar, PseudoLidarOutput

# What the best weights are best in: supervision must not decide it.
SCORE = "detection loss"


class PlTask(LightningModule):
    """Lightning's view of the network."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.settings = PlConfig.model_validate(config)
        self.net = PseudoLidar(self.settings.model)
        self._sums: dict[str, Tensor] = {}

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """The loss of one batch."""
        answer: PseudoLidarOutput = self.net(batch, self.settings.coupling, boxes_of(batch))
        parts = self._losses(answer, batch)
        self.log_dict({f"train/{name}": value.detach() for name, value in parts.items()})
        return torch.stack(list(parts.values())).sum()

    def _losses(self, answer: PseudoLidarOutput, batch: Batch) -> dict[str, Tensor]:
        settings = self.settings
        costs = self.net.detector.losses(answer.said, boxes_of(batch))
        parts = {name: settings.weights.detection * cost for name, cost in costs.items()}
        if answer.depth is not None and settings.supervision != "none" and settings.coupling != "frozen":
            parts |= depth_losses(answer.depth, batch, settings)
        return parts

    def validation_step(self, batch: Batch, index: int) -> None:
        """Add one batch to the sums."""
        answer: PseudoLidarOutput = self.net(batch, "frozen")
        costs = torch.stack(list(self.net.detector.losses(answer.said, boxes_of(batch)).values())).sum()
        self._add(SCORE, costs, torch.ones_like(costs))
        self._add(
            "points",
            torch.tensor(float(len(answer.points.sample)), device=costs.device),
            costs.new_tensor(len(batch["labels"])),
        )
        if answer.depth is not None:
            depth_m = answer.depth.depth_m
            s = self.settings.model.size[0] // depth_m.shape[-2]
            truth_m = batch["depth_m"][..., s // 2 :: s, s // 2 :: s]
            known = (truth_m > 0) & (truth_m < self.settings.model.depth.bins.max_m)
            self._add("depth MAE m", ((depth_m - truth_m).abs() * known).sum(), known.sum())

    def _add(self, name: str, above: Tensor, below: Tensor) -> None:
        both = torch.stack([above.double(), below.double()])
        self._sums[name] = self._sums.get(name, torch.zeros_like(both)) + both

    def on_validation_epoch_end(self) -> None:
        """Say the means over all processes."""
        found = {}
        for name, both in self._sums.items():
            above, below = torch.as_tensor(self.all_gather(both)).reshape(-1, 2).sum(0).unbind()
            found[name] = (above / below.clamp(min=1e-9)).float()
        self.log_dict(found, sync_dist=False)
        self._sums.clear()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what validation found of these very weights."""
        found = self.trainer.callback_metrics
        checkpoint["validation"] = {n: float(v) for n, v in found.items() if not n.startswith(("train/", "lr-"))}

    def configure_optimizers(self) -> Any:
        """AdamW; the learning rates rise for a tenth of the steps, then fall to nothing."""
        settings, net = self.settings, self.net
        parts = [part for part in (net.detector, net.depth) if part is not None]
        rates = [settings.learning_rate, settings.learning_rate * settings.depth_rate][: len(parts)]
        groups = [{"params": list(part.parameters()), "lr": rate} for part, rate in zip(parts, rates, strict=True)]
        optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, weight_decay=settings.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, rates, total_steps=int(self.trainer.estimated_stepping_batches),
            pct_start=0.1, final_div_factor=1e3,
        )  # fmt: skip
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
