"""The training step and the validation of the completion network, as Lightning wants them."""

from __future__ import annotations

from typing import Any

import torch
from lightning import LightningModule
from torch import Tensor

from densegt.completion.batches import TRIALS
from densegt.completion.losses import choice_loss, depth_loss, is_wrong, scale_loss
from densegt.completion.model import CompletionNet, CompletionOutput, Shape, answer, choices, decided
from densegt.completion.train_config import TrainConfig

# Beyond this nothing is asked of the depth.
MAX_TARGET_M = 100.0
# Validation counts what `benchmarks/accuracy/completion.py` counts.
MAX_SCORED_M = 60.0
# What is farther counts this much in training: few measurements lie there, and errors of tens of metres taught the
# network to move what it was unsure of too far away. Without any such pixels (weight 0 instead of 1) 900 crops of
# training gave 2 % less RMSE nearer than 60 m, and movers 8 % less MAE.
BEYOND = 0.1
CHOICE_WEIGHT, SCALE_WEIGHT, SKY_WEIGHT, WRONG_WEIGHT = 2.0, 0.2, 1.0, 0.5
# Choices farther apart than this count no more.
MAX_APART_M = 10.0
# A guess that costs less than this is good enough to be left alone.
EASY = 0.3

TRIAL_NAMES = tuple(TRIALS)
METHODS = ("network", "classical", "nearest", "plane")
# Errors of the network over those of the classical method, the mean over trials, MAE and RMSE.
SCORE = "share of classical"

Batch = dict[str, Tensor]


class CompletionTask(LightningModule):
    """Lightning's view of the network."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.settings = TrainConfig.model_validate(config)
        self.net = CompletionNet(Shape(self.settings.widths, self.settings.blocks))
        self._sums: dict[tuple[str, str], Tensor] = {}

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """The loss of one batch."""
        parts = losses_of(run(self.net, batch), batch)
        self.log_dict({f"train/{name}": value.detach() for name, value in parts.items()})
        return torch.stack(list(parts.values())).sum()

    def validation_step(self, batch: Batch, index: int) -> None:
        """Add one image to the sums; batches are of one image. What is taken for sky stands at FAR_M and counts."""
        found = run(self.net, batch)
        depths = {
            "network": batch["guess_m"] * decided(found, batch["channels"]).exp(), "classical": batch["guess_m"],
            "nearest": batch["nearest_m"], "plane": batch["plane_m"],
        }  # fmt: skip
        counted = (batch["target_m"] > 0) & (batch["target_m"] < MAX_SCORED_M)
        weight = (batch["weight"] * counted).double()
        for name, depth_m in depths.items():
            error = (depth_m - batch["target_m"]).double()
            sums = torch.stack([weight.sum(), (weight * error.abs()).sum(), (weight * error**2).sum()])
            key = TRIAL_NAMES[int(batch["trial"])], name
            self._sums[key] = self._sums.get(key, torch.zeros_like(sums)) + sums

    def on_validation_epoch_end(self) -> None:
        """Say the errors by trial and method, and how the network stands to the classical guess, in the mean."""
        shares = []
        for trial in TRIAL_NAMES:
            errors = {name: self._errors(trial, name) for name in METHODS}
            if errors["network"].isnan().any():
                continue
            for name, (mae, rmse) in errors.items():
                self.log_dict({f"{trial}/{name} MAE m": mae, f"{trial}/{name} RMSE m": rmse}, sync_dist=False)
            shares.append((errors["network"] / errors["classical"]).mean())
        self.log(SCORE, torch.stack(shares).mean(), prog_bar=True, sync_dist=False)
        self._sums.clear()

    def _errors(self, trial: str, name: str) -> Tensor:
        """MAE and RMSE over all processes; NaN where nothing was tried."""
        mine = self._sums.get((trial, name), torch.zeros(3, dtype=torch.float64, device=self.device))
        count, absolute, square = torch.as_tensor(self.all_gather(mine)).reshape(-1, 3).sum(0).unbind()
        return torch.stack([absolute / count, (square / count).sqrt()]).float()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what validation found of these very weights."""
        found = self.trainer.callback_metrics
        checkpoint["validation"] = {n: float(v) for n, v in found.items() if not n.startswith(("train/", "lr-"))}

    def configure_optimizers(self) -> Any:
        """AdamW; the learning rate rises for a twentieth of the steps, then falls to nothing."""
        settings = self.settings
        optimizer = torch.optim.AdamW(
            self.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, betas=(0.9, 0.98)
        )
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, settings.learning_rate, total_steps=steps, pct_start=0.05, final_div_factor=1e3
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def run(net: CompletionNet, batch: Batch) -> CompletionOutput:
    """The network on a batch."""
    return answer(net, *(batch[name] for name in ("channels", "guess_m", "sigma_m", "sky", "known")))


def losses_of(found: CompletionOutput, batch: Batch) -> dict[str, Tensor]:
    """Mean losses by what they ask for: depth, its uncertainty, sky, wrong measurements."""
    target_m, weight = batch["target_m"], batch["weight"]
    meant = weight * ((target_m > 0) & (target_m < MAX_TARGET_M))
    aim_m = torch.where(meant > 0, target_m, 1.0)
    counted = meant * torch.where(target_m > MAX_SCORED_M, BEYOND, 1.0)
    depth_m = batch["guess_m"] * found.log_change.clamp(-4, 4).exp()
    sigma_m = depth_m.detach() * found.log_doubt.clamp(-9, 3).exp()
    nothing = (target_m == 0).float()
    knows_nothing = batch["exact"].view(-1, 1, 1, 1) * weight + (1 - batch["exact"].view(-1, 1, 1, 1)) * meant
    wrong = is_wrong(batch["guess_m"], target_m).float()
    asked = batch["known"] * meant
    odds = torch.nn.functional.binary_cross_entropy_with_logits
    # Against the root of the guess's: RMSE is made where the guess is far off, but the few images with hardly any
    # measurement must not outshout all others.
    guess_costs, costs = (_of_each(depth_loss(m, aim_m), counted) for m in (batch["guess_m"], depth_m))
    return {
        "depth": (costs / (guess_costs + EASY).sqrt()).mean(),
        "choice": CHOICE_WEIGHT * _choice(found, batch, aim_m, counted),
        "scale": SCALE_WEIGHT * _mean(scale_loss((depth_m - aim_m).detach(), sigma_m), meant),
        "sky": SKY_WEIGHT * _mean(odds(found.sky, nothing, reduction="none"), knows_nothing),
        "wrong": WRONG_WEIGHT * _mean(odds(found.wrong, wrong, reduction="none"), asked),
    }


def _choice(found: CompletionOutput, batch: Batch, aim_m: Tensor, counted: Tensor) -> Tensor:
    """Mean cost of the choice, which counts as much as there is to choose between."""
    choices_m = choices(batch["channels"], batch["guess_m"])
    apart_m = (choices_m.amax(1, keepdim=True) - choices_m.amin(1, keepdim=True)).clamp(max=MAX_APART_M)
    return _mean(choice_loss(found.log_shares, choices_m, aim_m) * apart_m / MAX_APART_M, counted)


def _of_each(loss: Tensor, weight: Tensor) -> Tensor:
    """(B,) mean over the pixels of each image."""
    return (loss * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp(min=1)


def _mean(loss: Tensor, weight: Tensor) -> Tensor:
    return (loss * weight).sum() / weight.sum().clamp(min=1)
