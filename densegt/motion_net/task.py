"""The training step and the validation of the motion network, as Lightning wants them."""

from __future__ import annotations

from typing import Any

import torch
from lightning import LightningModule
from torch import Tensor

from densegt.motion_net.batches import MotionBatch, Targets
from densegt.motion_net.config import MotionTrainConfig
from densegt.motion_net.losses import losses_of
from densegt.motion_net.network import MotionNet
from densegt.motion_net.scores import MotionScores

SCORE = "moving IoU"


class MotionTask(LightningModule):
    """Lightning's view of the network."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.settings = MotionTrainConfig.model_validate(config)
        self.net = MotionNet(self.settings.net)
        self._scores = MotionScores()

    def training_step(self, batch: tuple[MotionBatch, Targets], index: int) -> Tensor:
        """The loss of one batch."""
        given, targets = batch
        parts = losses_of(self.net(given), targets, given.example)
        self.log_dict({f"train/{name}": v.detach() for name, v in parts.items()}, batch_size=len(given.pillars))
        return torch.stack(list(parts.values())).sum()

    def validation_step(self, batch: tuple[MotionBatch, Targets], index: int) -> None:
        """Add a batch to the scores."""
        given, targets = batch
        said = self.net(given)
        moving, truth, thing, speed, range_m, kind = (
            part.cpu().numpy()
            for part in (
                said.moving > 0, targets.moving, targets.thing, targets.speed_mps, given.xy_m.norm(dim=1), targets.kind
            )
        )  # fmt: skip
        example = given.example.cpu().numpy()
        # Objects of two scans are two.
        key = thing + (thing > 0) * example * (thing.max(initial=0) + 1)
        self._scores.update(moving, truth, key, speed, range_m, kind)
        self._scores.update_classes(said.classes.argmax(1).cpu().numpy(), kind)

    def on_validation_epoch_end(self) -> None:
        """Say the scores."""
        for name, value in self.figures().items():
            self.log(name, value)

    def figures(self) -> dict[str, float]:
        """Scores of what was validated since, in percent."""
        found, self._scores = self._scores.compute(), MotionScores()
        out = {f"moving {name}": float(found[name] or 0.0) for name in ("IoU", "precision", "recall")}
        out["objects found"] = float(found["objects found"].get("near and fast") or 0.0)
        return out | {"mIoU of classes": float(found["mIoU of classes"] or 0.0)}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what validation found of these very weights."""
        found = self.trainer.callback_metrics
        checkpoint["validation"] = {n: float(v) for n, v in found.items() if not n.startswith(("train/", "lr-"))}

    def configure_optimizers(self) -> Any:
        """AdamW; the learning rate rises for a tenth of the steps, then falls to nothing."""
        settings = self.settings
        optimizer = torch.optim.AdamW(
            self.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, betas=(0.9, 0.98)
        )
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, settings.learning_rate, total_steps=steps, pct_start=0.1, final_div_factor=1e3
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
