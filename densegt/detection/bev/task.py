"""The training step and the validation of a Lift-Splat detector, as Lightning wants them."""

from __future__ import annotations

from typing import Any

import torch
from lightning import LightningModule
from torch import Tensor
from torch.nn import functional

from densegt.datasets.detection_classes import CLASSES, VEHICLES
from densegt.detection.bev.bev_target import CentreTarget, centre_target, segmentation_target
from densegt.detection.bev.heads import Centres, at_cells
from densegt.detection.bev.lss import LiftSplat, LssOutput
from densegt.detection.data.dataset import Batch
from densegt.detection.depth_head import bin_targets
from densegt.detection.depth_head.depth_target import DepthTarget, depth_target
from densegt.detection.depth_head.edge_aware import ENLARGED, edge_weight
from densegt.detection.losses import depth_loss, focal, heat_loss, known_l1, weighted_mean
from densegt.detection.train_config import LssConfig

# What training lowers, depth left out: supervision must not decide what is best.
SCORE = "task loss"
VEHICLE_CLASSES = tuple(CLASSES.index(name) for name in VEHICLES)
# Of the ten regressed numbers; CenterPoint trusts velocities less.
VALUE_WEIGHTS = (1.0,) * 8 + (0.2, 0.2)


class LssTask(LightningModule):
    """Lightning's view of the network."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.settings = LssConfig.model_validate(config)
        self.net = LiftSplat(self.settings.model)
        self._counts: dict[str, Tensor] = {}

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """The loss of one batch."""
        parts = losses_of(answer_of(self.net, batch), batch, self.settings)
        self.log_dict({f"train/{name}": value.detach() for name, value in parts.items()})
        return torch.stack(list(parts.values())).sum()

    def validation_step(self, batch: Batch, index: int) -> None:
        """Add one batch to the sums."""
        answer = answer_of(self.net, batch)
        parts = losses_of(answer, batch, self.settings)
        truth = vehicles_of(batch, self.settings)
        said = answer.vehicles > 0
        cells = self.net.lift.stride
        pixels = nearest_pixels(answer.samples.expectation_m(), cells)
        depth_m = batch["depth_m"].flatten(0, 1)
        known = (depth_m > 0) & (depth_m < self.settings.model.bins.max_m)
        task = torch.stack([value for name, value in parts.items() if name != "depth"]).sum()
        self._add("task", task, torch.ones_like(task))
        self._add("iou", (said & truth).sum(), (said | truth).sum())
        self._add("constant", truth.sum(), torch.tensor(truth.numel(), device=truth.device))
        self._add("depth", ((pixels - depth_m).abs() * known).sum(), known.sum())

    def _add(self, name: str, above: Tensor, below: Tensor) -> None:
        both = torch.stack([above.double(), below.double()])
        self._counts[name] = self._counts.get(name, torch.zeros_like(both)) + both

    def on_validation_epoch_end(self) -> None:
        """Say the shares over all processes."""
        found = {}
        for name, both in self._counts.items():
            above, below = torch.as_tensor(self.all_gather(both)).reshape(-1, 2).sum(0).unbind()
            found[name] = (above / below.clamp(min=1e-9)).float()
        names = {"iou": "vehicle IoU", "constant": "IoU of everywhere", "depth": "depth MAE m", "task": SCORE}
        self.log_dict({names[name]: value for name, value in found.items()}, sync_dist=False)
        self._counts.clear()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what validation found of these very weights."""
        found = self.trainer.callback_metrics
        checkpoint["validation"] = {n: float(v) for n, v in found.items() if not n.startswith(("train/", "lr-"))}

    def configure_optimizers(self) -> Any:
        """AdamW; with `one-cycle` the learning rate rises for a tenth of the steps, then falls to nothing."""
        settings = self.settings
        optimizer = torch.optim.AdamW(self.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
        if settings.schedule == "constant":
            return optimizer
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, settings.learning_rate, total_steps=steps, pct_start=0.1, final_div_factor=1e3
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def answer_of(net: LiftSplat, batch: Batch) -> LssOutput:
    """The network on a batch."""
    sweep_m = batch["sweep_m"] if net.config.edge_input else None
    answer: LssOutput = net(batch["images"], batch["K"], batch["T_ref_cam"], sweep_m)
    return answer


def losses_of(answer: LssOutput, batch: Batch, config: LssConfig) -> dict[str, Tensor]:
    """Weighted mean losses by what they ask for; those of weight 0 are left out."""
    weights, batch, losses = config.weights, _without_padding(batch), {}
    if weights.vehicles:
        truth = vehicles_of(batch, config).float()
        odds = torch.tensor(config.vehicle_weight, device=truth.device)
        costs = functional.binary_cross_entropy_with_logits(
            answer.vehicles.float(), truth, pos_weight=odds, reduction="none"
        )
        losses["vehicles"] = weights.vehicles * costs.mean()
    if weights.heat:
        target = centre_target(
            batch["boxes"], batch["labels"], batch["attributes"], config.model.grid.made(),
            classes=len(CLASSES), min_radius=config.min_radius,
        )  # fmt: skip
        costs_by_part = centre_losses(answer.centres, target)
        losses |= {name: getattr(weights, name) * cost for name, cost in costs_by_part.items()}
    if config.supervision != "none" and weights.depth:
        losses["depth"] = weights.depth * depth_loss_of(answer, batch, config)
        if answer.fine is not None:
            fine, edges = fine_losses_of(answer.fine, batch, config)
            losses |= {"fine": weights.fine * fine, "edges": weights.edges * edges}
    return losses


def _without_padding(batch: Batch) -> Batch:
    """As many boxes as the fullest sample has: the rest costs time and says nothing."""
    most = max(int((batch["labels"] >= 0).sum(1).max()), 1)
    boxes, labels, attributes = (batch[name][:, :most] for name in ("boxes", "labels", "attributes"))
    return {**batch, "boxes": boxes, "labels": labels, "attributes": attributes}


def vehicles_of(batch: Batch, config: LssConfig) -> Tensor:
    """(B,Y,X) bool."""
    return segmentation_target(batch["boxes"], batch["labels"], VEHICLE_CLASSES, config.model.grid.made())


def centre_losses(centres: Centres, target: CentreTarget) -> dict[str, Tensor]:
    """Mean losses, each over the boxes that there are."""
    count = target.valid.sum().clamp(min=1)
    values = at_cells(centres.values.float(), target.cell)
    off = known_l1(values, target.values) * values.new_tensor(VALUE_WEIGHTS)
    kinds = at_cells(centres.attributes.float(), target.cell).flatten(0, 1)
    wrong = functional.cross_entropy(kinds, target.attributes.flatten(), ignore_index=-1, reduction="none")
    return {
        "heat": heat_loss(centres.heat, target.heat).sum() / count,
        "values": off.sum() / count,
        "attributes": wrong.sum() / (target.attributes >= 0).sum().clamp(min=1),
    }


def depth_loss_of(answer: LssOutput, batch: Batch, config: LssConfig) -> Tensor:
    """Mean over cells that know their depth, each as much as it is believed."""
    bins = answer.samples.bins
    depth_m, confidence = batch["depth_m"].flatten(0, 1), batch["confidence"].flatten(0, 1)
    target = depth_target(config.patch, depth_m, confidence, bins, stride=config.model.stride)
    losses = [depth_loss(config.depth_loss, answer.logits.float().log_softmax(1), _asked(target, config, answer))]
    if config.model.sampling != "fixed":
        # What is laid down is another distribution than the bins': it is asked too.
        wanted = answer.samples.target(target.depth_m)
        losses.append(depth_loss(config.depth_loss, answer.samples.log_weights.float(), wanted))
    return weighted_mean(torch.stack(losses).sum(0), target.weight)


def fine_losses_of(logits: Tensor, batch: Batch, config: LssConfig) -> tuple[Tensor, Tensor]:
    """Mean focal loss over the small cells that know their depth: as it is, and times how far depth jumps there."""
    bins, stride = config.model.bins.made(), config.model.stride // ENLARGED
    depth_m, confidence = batch["depth_m"].flatten(0, 1), batch["confidence"].flatten(0, 1)
    target = depth_target(config.patch, depth_m, confidence, bins, stride=stride)
    wanted = bin_targets.hard(bins, target.depth_m) if target.distribution is None else target.distribution
    costs = target.weight * focal(logits.float().log_softmax(1), wanted)
    total = target.weight.sum().clamp(min=1e-6)
    return costs.sum() / total, (costs * edge_weight(depth_m, stride=stride)).sum() / total


def _asked(target: DepthTarget, config: LssConfig, answer: LssOutput) -> Tensor:
    """(N,D,h,w) over the bins."""
    if target.distribution is not None:
        return target.distribution
    made = bin_targets.hard if config.depth_label == "hard" else bin_targets.soft
    return made(answer.samples.bins, target.depth_m)


def nearest_pixels(cells: Tensor, stride: int) -> Tensor:
    """(N,h,w) to (N,H,W): each pixel has its cell's value."""
    return cells.repeat_interleave(stride, -2).repeat_interleave(stride, -1)
