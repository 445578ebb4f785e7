"""The loss of a batch: parts by name, each a mean over objects."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from densegt.detection.mono.batch import MonoBatch
from densegt.detection.mono.config import MonoConfig
from densegt.detection.mono.losses import (
    around,
    box_2d_loss,
    depth_loss,
    free_space_loss,
    ground_loss,
    hindsight,
    label_loss,
    mixed,
    nearest_yaw,
    scale_of,
    shape_loss,
    silhouette_loss,
    size_loss,
    softness_m,
    yaw_loss,
)
from densegt.detection.mono.placed import Answer, Placed, least_on_rays, place
from densegt.detection.mono.shape_space import ShapeSpace

# Of the way back to the camera from a measured point, places between these distances have been seen through, m.
THROUGH_M = (0.4, 4.0)
# Yaws that are tried all around, and by how much of its cost one must be better to be taught.
TRIED, BETTER = 12, 0.1


class Seen(NamedTuple):
    """Some of the points and rays of a batch; see `MonoBatch`. `through` (B,P,3) are on the way to the points."""

    points: Tensor
    point_weight: Tensor
    through: Tensor
    rays: Tensor
    inside: Tensor
    ray_weight: Tensor


def losses(answer: Answer, batch: MonoBatch, space: ShapeSpace, config: MonoConfig, step: int) -> dict[str, Tensor]:
    """Parts of the loss, weighed; what has no weight is not worked out."""
    placed = place(answer, batch["kind"], batch["box_ab"], space)
    if config.supervision == "exact":
        return _of_labels(answer, placed, batch, config)
    seen, weights = some_of(batch, config), config.weights
    fade = max(0.0, 1 - step / config.loss.mean_steps) if config.loss.mean_steps else 0.0
    with torch.set_grad_enabled(fade > 0):
        cost = yaw_costs(placed, seen, batch, space, config)
        total = torch.stack(list(cost.values())).sum(0)
    best = hindsight(total)
    if config.supervision == "autolabel":
        best = torch.where(batch["box"][:, 6].isfinite(), side_of(answer, batch), best)
    one = placed._replace(yaw=placed.yaw.gather(1, best[:, None]))
    if not fade:
        # Only the best is taught, which saves the gradients of the others.
        cost, only = yaw_costs(one, seen, batch, space, config), torch.zeros_like(best)
    parts = {name: mixed(values, best if fade else only, fade).mean() for name, values in cost.items()}
    if weights.silhouette and "silhouette" not in parts:
        parts["silhouette"] = silhouettes(one, seen, batch, space, config).mean()
    parts["score"] = weights.score * functional.cross_entropy(answer.logits, best)
    every = config.loss.explore_every
    if every and step >= config.loss.mean_steps and step % every == 0 and answer.yaw.shape[1] > 1:
        parts |= explore(answer, placed, total, seen, batch, space, config)
    if weights.size:
        kind = batch["kind"]
        parts["size"] = weights.size * size_loss(placed.size, space.extent[kind, :3], space.sigma[kind]).mean()
    if weights.shape:
        parts["shape"] = weights.shape * shape_loss(answer.w).mean()
    if weights.ground:
        bottom_m = placed.middle[:, 2] - placed.size[:, 2] / 2 + batch["T_ref_view"][:, 2, 3].to(placed.middle)
        x_m = placed.middle[:, 0].detach()
        off = ground_loss(bottom_m, x_m, config.loss.ground_m, config.loss.ground_slope)
        parts["ground"] = weights.ground * off.mean()
    if config.supervision == "autolabel":
        parts["label"] = _of_labels(answer, placed, batch, config)["label"]
    return parts


def side_of(answer: Answer, batch: MonoBatch) -> Tensor:
    """(B,) the hypothesis whose side a box is on: each has one of its own, whatever it says so far."""
    wanted = batch["box"][:, 6]
    return nearest_yaw(around(answer.yaw.shape[1], wanted).expand_as(answer.yaw), wanted)


def yaw_costs(placed: Placed, seen: Seen, batch: MonoBatch, space: ShapeSpace, config: MonoConfig) -> dict[str, Tensor]:
    """(B,K) parts, weighed, that tell one yaw from another.

    Silhouettes, which cost most of the time and hardly know a yaw, are among them only where there is no depth.
    """
    weights, how = config.weights, config.loss
    cost = {}
    if weights.depth:
        scale_m = scale_of(how.depth_m, how.full_depth_m, placed.middle[:, 0].detach())
        distance = space.distance(placed.code, placed.into_shape(seen.points))
        cost["depth"] = weights.depth * depth_loss(distance, seen.point_weight, scale_m)
        if weights.free_space:
            distance = space.distance(placed.code, placed.into_shape(seen.through))
            cost["free_space"] = weights.free_space * free_space_loss(distance, seen.point_weight, scale_m)
    elif weights.silhouette:
        cost["silhouette"] = silhouettes(placed, seen, batch, space, config)
    if weights.box_2d or not cost:
        off = box_2d_loss(placed.corners(), batch["box_ab"], batch["cut"], how.box_slack)
        cost["box_2d"] = weights.box_2d * off
    return cost


def silhouettes(placed: Placed, seen: Seen, batch: MonoBatch, space: ShapeSpace, config: MonoConfig) -> Tensor:
    """(B,K), weighed."""
    least = least_on_rays(space, placed, seen.rays)
    soft_m = softness_m(batch["pixel"], placed.middle[:, 0].detach(), config.loss.silhouette_m)
    return config.weights.silhouette * silhouette_loss(least, seen.inside, seen.ray_weight, soft_m)


def explore(
    answer: Answer, placed: Placed, total: Tensor, seen: Seen, batch: MonoBatch, space: ShapeSpace, config: MonoConfig
) -> dict[str, Tensor]:
    """Where another yaw would be much better, the hypothesis nearest to it is turned that way, and preferred.

    Args:
        total: (B,K) cost of the hypotheses.
    """
    with torch.no_grad():
        tried = placed._replace(yaw=around(TRIED, placed.yaw).expand(len(placed.yaw), -1))
        cost = torch.stack(list(yaw_costs(tried, seen, batch, space, config).values())).sum(0)
        found = tried.yaw.gather(1, cost.argmin(-1, keepdim=True)).squeeze(1)
        wanted = torch.where(cost.amin(-1) < (1 - BETTER) * total.amin(-1), found, torch.nan)
    chosen = nearest_yaw(answer.yaw, wanted)
    turn = yaw_loss(answer.yaw, wanted).gather(1, chosen[:, None]).squeeze(1)
    preferred = functional.cross_entropy(answer.logits, chosen, reduction="none") * wanted.isfinite()
    return {"explore": config.weights.score * (turn + preferred).mean()}


def some_of(batch: MonoBatch, config: MonoConfig) -> Seen:
    """Points and rays of a step, drawn anew; such as are there before padding."""

    def drawn(weight: Tensor, count: int) -> Tensor:
        order = torch.rand_like(weight) + 10 * (weight <= 0)
        return order.argsort(1)[:, :count]

    def of(values: Tensor, which: Tensor) -> Tensor:
        return values.gather(1, which if values.ndim == 2 else which[..., None].expand(-1, -1, values.shape[-1]))

    point = drawn(batch["point_weight"], config.loss.points)
    ray = drawn(batch["ray_weight"], config.loss.rays)
    points = of(batch["points"], point)
    range_m = points.norm(dim=-1, keepdim=True).clamp(min=1e-3)
    least, most = THROUGH_M
    back_m = least + (most - least) * torch.rand_like(range_m)
    return Seen(
        points, of(batch["point_weight"], point), points * (1 - back_m / range_m).clamp(min=0), of(batch["rays"], ray),
        of(batch["inside"], ray), of(batch["ray_weight"], ray),
    )  # fmt: skip


def _of_labels(answer: Answer, placed: Placed, batch: MonoBatch, config: MonoConfig) -> dict[str, Tensor]:
    box, weight = batch["box"], batch["box_weight"]
    wanted = box[:, 6]
    turn = yaw_loss(answer.yaw, wanted)
    best = side_of(answer, batch)
    size = placed.size + placed.size.new_tensor([0.0, config.model.mirrors_m, 0.0])
    off = label_loss(placed.middle, size, box) + 2 * turn.gather(1, best[:, None]).squeeze(1)
    chosen = functional.cross_entropy(answer.logits, best, reduction="none") * wanted.isfinite()
    believed = weight.sum().clamp(min=1e-6)
    return {
        "label": config.weights.label * (off * weight).sum() / believed,
        "score": config.weights.score * (chosen * weight).sum() / believed,
        "shape": config.weights.shape * shape_loss(answer.w).mean(),
    }
