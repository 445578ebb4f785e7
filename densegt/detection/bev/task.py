"""The training step, the validation and the answers of a Lift-Splat detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from densegt.datasets.detection_classes import CLASSES, MAX_BOXES
from densegt.detection.bev.heads import decode
from densegt.detection.bev.losses import answer_of, losses_of, nearest_pixels, vehicles_of
from densegt.detection.bev.lss import LiftSplat
from densegt.detection.bev.picture import draw
from densegt.detection.bev.prediction import LssPrediction
from densegt.detection.bev.scores import LssScores
from densegt.detection.bev.train_config import LssConfig
from densegt.detection.data.batch import Batch, Supervision
from densegt.detection.data.depth_dataset import DatasetOptions, DepthDataset, InputOptions, LabelOptions
from densegt.detection.data.label_counts import LabelCounts
from densegt.detection.prediction import Picture, detections_of
from densegt.detection.task import DetectionTask
from densegt.errors import InputError


class LssTask(DetectionTask):
    """Lightning's view of the network."""

    COMMAND = "train-lss"
    # What training lowers, depth left out: supervision must not decide what is best.
    SCORE = "task loss"

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.settings: LssConfig = LssConfig.model_validate(config)
        self.net = LiftSplat(self.settings.model)

    @classmethod
    def of_checkpoint(cls, config: dict[str, Any]) -> Self:
        """See `DetectionTask`."""
        return cls({**config, "model": {**config["model"], "pretrained": False}})

    def dataset_options(self, *, learned: bool, has_depth: bool) -> DatasetOptions:
        """See `DetectionTask`."""
        config = self.settings
        supervision: Supervision = config.supervision
        # To be validated on, depth is asked for even where none is learned from.
        if not learned and supervision == "none":
            supervision = "dense" if has_depth else "sparse"
        inputs = InputOptions(
            cameras=config.draw_cameras if learned else 0,
            previous=config.model.frames == 2,
            sweep_depth=config.model.edge_input,
        )
        return DatasetOptions(
            supervision, config.model.size, config.augmentation.made(), augmented=learned, inputs=inputs,
            labels=LabelOptions(config.min_points, categories=config.categories), keep_images=config.keep_images,
        )  # fmt: skip

    def start_from(self, path: Path) -> str:
        """See `DetectionTask`."""
        from densegt.detection.checkpoint import read_task

        before = read_task(path)
        if not isinstance(before, LssTask):
            raise InputError(f"{path}: of {before.COMMAND}, not of {self.COMMAND}")
        try:
            self.net.load_state_dict(before.net.state_dict())
        except RuntimeError as error:
            raise InputError(f"{path}: of another network ({str(error).splitlines()[0]})") from None
        return "weights"

    def progress_line(self, metrics: Mapping[str, float]) -> str:
        """IoU beside that of saying yes everywhere, and the depth error."""
        return (
            f"vehicle IoU {metrics['vehicle IoU']:.3f} (everywhere {metrics['IoU of everywhere']:.3f}), "
            f"depth MAE {metrics['depth MAE m']:.2f} m, {self.SCORE} {metrics[self.SCORE]:.3f}"
        )

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
        pixels = nearest_pixels(answer.samples.expectation_m(), self.net.lift.stride)
        depth_m = batch["depth_m"].flatten(0, 1)
        known = (depth_m > 0) & (depth_m < self.settings.model.bins.max_m)
        task = torch.stack([value for name, value in parts.items() if name != "depth"]).sum()
        self.add_ratio(self.SCORE, task, torch.ones_like(task))
        self.add_ratio("vehicle IoU", (said & truth).sum(), (said | truth).sum())
        self.add_ratio("IoU of everywhere", truth.sum(), torch.tensor(truth.numel(), device=truth.device))
        self.add_ratio("depth MAE m", ((pixels - depth_m).abs() * known).sum(), known.sum())

    def prediction(self, batch: Batch) -> LssPrediction:
        """See `DetectionTask`."""
        answer = answer_of(self.net, self.transfer_batch_to_device(batch, self.device, 0))
        V, stride = batch["images"].shape[1] // self.settings.model.frames, self.settings.model.stride
        samples = answer.samples
        mean_m = samples.expectation_m()[:V]
        each_m = samples.depth_m.float()
        each_m = each_m.reshape(1, -1, 1, 1) if each_m.dim() == 1 else each_m[:V]
        sigma_m = (samples.weights[:V] * (each_m - mean_m.unsqueeze(1)) ** 2).sum(1).sqrt()
        return LssPrediction(
            found=detections_of(decode(answer.centres, self.net.lift.grid, most=MAX_BOXES), batch),
            depth_m=nearest_pixels(mean_m, stride).float().cpu().numpy(),
            sigma_m=nearest_pixels(sigma_m, stride).float().cpu().numpy(),
            truth_m=batch["depth_m"][0, :V].numpy(),
            images=(batch["images"][0, :V] * 255).round().byte().movedim(1, -1).numpy(),
            vehicles=answer.vehicles[0].float().sigmoid().cpu().numpy(),
            truth=vehicles_of(batch, self.settings)[0].numpy(),
            labels=batch["boxes"][0][batch["labels"][0] >= 0].numpy(),
        )

    def picture(self, prediction: LssPrediction, batch: Batch) -> Picture:
        """See `draw`."""
        return Picture(draw(prediction, self.net.lift.grid))

    def scores(self) -> LssScores:
        """See `DetectionTask`."""
        return LssScores(self.settings)

    def label_counts(self, datasets: Sequence[DepthDataset]) -> LabelCounts | None:
        """See `DetectionTask`."""
        weights = self.settings.weights
        if not (weights.vehicles or weights.heat or weights.values or weights.attributes):
            return None
        return LabelCounts(datasets, self.net.lift.grid, CLASSES)

    @property
    def estimates_depth(self) -> bool:
        """See `DetectionTask`."""
        return True

    @property
    def reads_lidar(self) -> bool:
        """See `DetectionTask`."""
        return self.settings.model.edge_input

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
