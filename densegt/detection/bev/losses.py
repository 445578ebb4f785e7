"""What a Lift-Splat network's answer costs."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from densegt.datasets.detection_classes import CLASSES, VEHICLES
from densegt.detection.bev.bev_target import CentreTarget, centre_target, segmentation_target
from densegt.detection.bev.heads import Centres, at_cells
from densegt.detection.bev.lss import LiftSplat, LssOutput
from densegt.detection.bev.train_config import LssConfig
from densegt.detection.data.batch import Batch
from densegt.detection.depth_head import bin_targets
from densegt.detection.depth_head.depth_target import DepthTarget, depth_target
from densegt.detection.depth_head.edge_aware import ENLARGED, edge_weight
from densegt.detection.losses import depth_loss, focal, heat_loss, known_l1, weighted_mean

VEHICLE_CLASSES = tuple(CLASSES.index(name) for name in VEHICLES)
# Of the ten regressed numbers; CenterPoint trusts velocities less.
VALUE_WEIGHTS = (1.0,) * 8
SPEED_WEIGHT = 0.2


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
    if weights.heat or weights.values or weights.attributes:
        target = centre_target(
            batch["boxes"], batch["labels"], batch["attributes"], config.model.grid.made(),
            classes=len(CLASSES), min_radius=config.min_radius,
        )  # fmt: skip
        by_part = {name: (getattr(weights, name), cost) for name, cost in centre_losses(answer.centres, target).items()}
        losses |= {name: weight * cost for name, (weight, cost) in by_part.items() if weight}
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


def centre_losses(centres: Centres, target: CentreTarget, *, speed: float = SPEED_WEIGHT) -> dict[str, Tensor]:
    """Mean losses, each over the boxes that there are.

    Args:
        speed: weight of the two numbers of velocity among the ten of a box.
    """
    count = target.valid.sum().clamp(min=1)
    values = at_cells(centres.values.float(), target.cell)
    off = known_l1(values, target.values) * values.new_tensor((*VALUE_WEIGHTS, speed, speed))
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
    target = depth_target(config.depth_target, depth_m, confidence, bins, stride=config.model.stride)
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
    target = depth_target(config.depth_target, depth_m, confidence, bins, stride=stride)
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
