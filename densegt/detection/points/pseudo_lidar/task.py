"""The training step, the validation and the answers of a detector on pseudo-LiDAR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from torch import Tensor

from densegt.detection.bev.losses import nearest_pixels
from densegt.detection.data.batch import Batch, Supervision
from densegt.detection.data.depth_dataset import DatasetOptions, DepthDataset, InputOptions, LabelOptions
from densegt.detection.data.label_counts import LabelCounts
from densegt.detection.depth_head.bins import Bins
from densegt.detection.points.pseudo_lidar.config import PlConfig
from densegt.detection.points.pseudo_lidar.detector import boxes_of
from densegt.detection.points.pseudo_lidar.gradient_map import depth_gradient
from densegt.detection.points.pseudo_lidar.gradient_overlay import draw
from densegt.detection.points.pseudo_lidar.losses import depth_losses
from densegt.detection.points.pseudo_lidar.net import PseudoLidar, PseudoLidarOutput
from densegt.detection.points.pseudo_lidar.scores import PlScores
from densegt.detection.prediction import Picture, Prediction, detections_of
from densegt.detection.task import DetectionTask
from densegt.errors import InputError

if TYPE_CHECKING:
    from densegt.detection.fit import TrainingRun


class PlTask(DetectionTask):
    """Lightning's view of the network."""

    COMMAND = "train-pl"
    # What the best weights are best in: supervision must not decide it.
    SCORE = "detection loss"

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.settings: PlConfig = PlConfig.model_validate(config)
        self.net = PseudoLidar(self.settings.model)

    @classmethod
    def of_checkpoint(cls, config: dict[str, Any]) -> Self:
        """See `DetectionTask`."""
        model = config["model"]
        return cls({**config, "model": {**model, "depth": {**model["depth"], "pretrained": False}}})

    @classmethod
    def check(cls, run: TrainingRun) -> None:
        """See `DetectionTask`."""
        config, begun = run.config, bool(run.init) or run.resume
        assert isinstance(config, PlConfig)
        if config.model.input == "store" and any(source.depth is None for source in run.sources):
            raise InputError("input store: points come from a depth store; name one with --depth")
        if config.model.input != "pseudo":
            return
        if config.coupling == "frozen" and not begun:
            raise InputError("a depth net that learned nothing would stay as it is; name a training of it with --init")
        hard = config.model.detector == "pixor" and config.model.pixor.quantisation == "hard"
        if config.coupling == "end-to-end" and hard:
            raise InputError("end to end: hard voxels pass no gradient to depth; take soft ones")
        if config.coupling == "separate" and config.supervision == "none" and not begun:
            raise InputError("the depth net would learn from nothing: take --supervision, --end-to-end or --init")

    def dataset_options(self, *, learned: bool, has_depth: bool) -> DatasetOptions:
        """See `DetectionTask`."""
        config = self.settings
        supervision: Supervision = config.supervision
        # To be validated on, depth is asked for even where none is learned from; and points may be made of it.
        if supervision == "none" and (not learned or config.model.input == "store"):
            supervision = "dense" if has_depth else "sparse"
        return DatasetOptions(
            supervision, config.model.size, config.augmentation.made(), augmented=learned,
            inputs=InputOptions(
                sweep_points=self.reads_lidar,
                earlier_sweeps=self.net.detector.earlier_sweeps if self.reads_lidar else 0,
            ),
            labels=LabelOptions(config.min_points, categories=config.categories),
            keep_images=config.keep_images,
        )  # fmt: skip

    def start_from(self, path: Path) -> str:
        """Take over those parts that the checkpoint has too.

        A depth net of one training and a detector of another, such as one of a real lidar, are put together by
        beginning with the one, then with the other.
        """
        from densegt.detection.checkpoint import read_task

        before = read_task(path)
        if not isinstance(before, PlTask):
            raise InputError(f"{path}: of {before.COMMAND}, not of {self.COMMAND}")
        taken = []
        for name in ("depth", "detector"):
            to, of = getattr(self.net, name), getattr(before.net, name)
            if to is None or of is None:
                continue
            try:
                to.load_state_dict(of.state_dict())
            except RuntimeError as error:
                raise InputError(f"{path}: its {name} is of another shape ({str(error).splitlines()[0]})") from None
            taken.append(name)
        return " and ".join(taken)

    def progress_line(self, metrics: Mapping[str, float]) -> str:
        """Loss, points that the detector reads, and the depth error."""
        depth = f", depth MAE {metrics['depth MAE m']:.2f} m" if "depth MAE m" in metrics else ""
        return f"{self.SCORE} {metrics[self.SCORE]:.3f}, {metrics['points']:.0f} points a keyframe{depth}"

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
        self.add_ratio(self.SCORE, costs, torch.ones_like(costs))
        self.add_ratio(
            "points",
            torch.tensor(float(len(answer.points.sample)), device=costs.device),
            costs.new_tensor(len(batch["labels"])),
        )
        if answer.depth is not None:
            depth_m = answer.depth.depth_m
            s = self.settings.model.size[0] // depth_m.shape[-2]
            truth_m = batch["depth_m"][..., s // 2 :: s, s // 2 :: s]
            known = (truth_m > 0) & (truth_m < self.settings.model.depth.bins.max_m)
            self.add_ratio("depth MAE m", ((depth_m - truth_m).abs() * known).sum(), known.sum())

    def prediction(self, batch: Batch) -> Prediction:
        """See `DetectionTask`; depth is that of the points, at their stride."""
        batch = self.transfer_batch_to_device(batch, self.device, 0)
        answer: PseudoLidarOutput = self.net(batch, "frozen")
        found = detections_of(self.net.detector.found(answer.said), batch)
        if answer.depth is None:
            nothing = np.zeros((0, 1, 1), np.float32)
            return Prediction(found=found, depth_m=nothing, sigma_m=nothing, truth_m=nothing)
        depth = self.settings.model.depth
        step = depth.points_stride
        truth_m = batch["depth_m"][0, :, step // 2 :: step, step // 2 :: step]
        sigma_m = nearest_pixels(depth.scale * spread_m(answer.depth.logits, depth.bins.made()), depth.stride // step)
        layers = (answer.depth.depth_m[0], sigma_m, truth_m)
        depth_m, sigma, truth = (layer.float().cpu().numpy() for layer in layers)
        return Prediction(found=found, depth_m=depth_m, sigma_m=sigma, truth_m=truth)

    def picture(self, prediction: Prediction, batch: Batch) -> Picture | None:
        """Where the detector pulls the depth; see `gradient_overlay`."""
        if self.net.depth is None:
            return None
        batch = self.transfer_batch_to_device(batch, self.device, 0)
        gradient = depth_gradient(self.net, batch)
        images = (batch["images"][0] * 255).round().byte().movedim(1, -1).cpu().numpy()
        image = draw(images, gradient.slope[0].cpu().numpy(), gradient.foreground[0].cpu().numpy())
        of_gradient, of_points = gradient.shares()
        figures = {"share on objects": of_gradient, "share of points on objects": of_points}
        return Picture(image, "depth_gradient", figures)

    def scores(self) -> PlScores:
        """See `DetectionTask`."""
        model = self.settings.model
        return PlScores(model.grid.made(), (model.depth.bins.min_m, model.depth.bins.max_m))

    def label_counts(self, datasets: Sequence[DepthDataset]) -> LabelCounts | None:
        """See `DetectionTask`."""
        model = self.settings.model
        if not self.settings.weights.detection:
            return None
        return LabelCounts(datasets, model.grid.made(), self.net.detector.classes)

    @property
    def estimates_depth(self) -> bool:
        """See `DetectionTask`."""
        return self.net.depth is not None

    @property
    def reads_lidar(self) -> bool:
        """See `DetectionTask`."""
        return self.settings.model.input == "lidar"

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


def spread_m(logits: Tensor, bins: Bins) -> Tensor:
    """(N,h,w) standard deviation of the depth that logits (N,D,h,w) say."""
    share = logits.float().softmax(1)
    off_m = bins.centres_m().to(share).view(-1, 1, 1) - bins.expectation_m(share).unsqueeze(1)
    return (share * off_m**2).sum(1).sqrt()
