"""The training step, the validation and the answers of a monocular detector."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import torch
from lightning import LightningDataModule
from torch import Tensor

from densegt.detection.data.batch import Supervision
from densegt.detection.data.depth_dataset import DatasetOptions, DepthDataset
from densegt.detection.mono.batch import MonoBatch
from densegt.detection.mono.config import FAMILIES_OF, MonoConfig, MonoModelConfig
from densegt.detection.mono.crop_net import CropNet
from densegt.detection.mono.dataset import MonoData, MonoDataset
from densegt.detection.mono.image_dataset import MonoImageDataset
from densegt.detection.mono.losses import edge_differences
from densegt.detection.mono.object_counts import ObjectCounts
from densegt.detection.mono.objective import losses
from densegt.detection.mono.objects_2d import source_of
from densegt.detection.mono.placed import Answer, Placed, place
from densegt.detection.mono.prediction import MonoPrediction, in_ref, merged, no_depth
from densegt.detection.mono.scores import MonoScores
from densegt.detection.mono.shape_space import ShapeSpace
from densegt.detection.prediction import Picture
from densegt.detection.scoring.rotated_iou import bev_iou
from densegt.detection.task import DetectionTask
from densegt.errors import InputError
from densegt.shapes.prior import ShapePrior
from densegt.shapes.weights import PRIOR

if TYPE_CHECKING:
    from densegt.detection.fit import TrainingRun, TrainingSource

# What of depth the samples must have.
_DEPTH: dict[str, Supervision] = {
    "dense": "dense",
    "sparse": "sparse",
    "mono": "completed",
    "autolabel": "dense",
    "exact": "none",
}
# Of the image against the box that is said to be in it.
CONSISTENCY = 3.0


class MonoTask(DetectionTask):
    """Lightning's view of the network."""

    COMMAND = "train-mono"
    SCORE = "loss"

    def __init__(self, config: dict[str, Any], *, prior: bool = True) -> None:
        super().__init__(config)
        self.settings: MonoConfig = MonoConfig.model_validate(config)
        classes = self.settings.model.classes
        self.net = self._network(self.settings.model)
        self.space = ShapeSpace(len(classes))
        if prior:
            self.space.fill(ShapePrior.load(PRIOR), [FAMILIES_OF[name] for name in classes])

    def _network(self, config: MonoModelConfig) -> torch.nn.Module:
        return CropNet(config)

    @classmethod
    def of_checkpoint(cls, config: dict[str, Any]) -> Self:
        """See `DetectionTask`; the shapes are in the file."""
        return cls(config, prior=False)

    @classmethod
    def check(cls, run: TrainingRun) -> None:
        """See `DetectionTask`."""
        config = run.config
        assert isinstance(config, MonoConfig)
        for source in run.sources:
            if config.supervision in ("dense", "mono", "autolabel") and source.depth is None:
                raise InputError(f"supervision {config.supervision}: depth comes from a store; name one with --depth")

    def dataset_options(self, *, learned: bool, has_depth: bool) -> DatasetOptions:
        """See `DetectionTask`."""
        return DatasetOptions(_DEPTH[self.settings.supervision])

    def dataset(
        self, source: TrainingSource, options: DatasetOptions, scenes: Sequence[str] | None
    ) -> MonoDataset | MonoImageDataset:
        """See `DetectionTask`."""
        frames = DepthDataset(source.recording, source.depth, options, scenes=scenes)
        objects, where = source_of(frames.recording.root, source.boxes_2d)
        model = self.settings.model
        return MonoDataset(frames, objects, model.classes, crop_px=model.crop_px, min_height=self.lowest, told_by=where)

    @property
    def lowest(self) -> float:
        """Tangent of the height of the lowest 2D boxes."""
        return math.tan(math.radians(self.settings.model.min_height_deg))

    def data(self, learned: Sequence[Any], held_out: Sequence[Any]) -> LightningDataModule:
        """See `DetectionTask`."""
        return MonoData(learned, held_out, self.settings)

    def label_counts(self, datasets: Sequence[Any]) -> ObjectCounts:
        """See `DetectionTask`."""
        return ObjectCounts(datasets, self.settings.supervision)

    def start_from(self, path: Path) -> str:
        """See `DetectionTask`."""
        from densegt.detection.checkpoint import read_task

        before = read_task(path)
        if type(before) is not type(self):
            raise InputError(f"{path}: of {before.COMMAND}, not of {self.COMMAND}")
        try:
            self.net.load_state_dict(before.net.state_dict())
        except RuntimeError as error:
            raise InputError(f"{path}: its network is of another shape ({str(error).splitlines()[0]})") from None
        return "network"

    def progress_line(self, metrics: Mapping[str, float]) -> str:
        """Loss, and where there are labels to compare with how many boxes are about right."""
        line = f"loss {metrics[self.SCORE]:.3f}"
        if metrics.get("labelled", 0) > 0:
            line += f", BEV IoU > 0.5 for {metrics['BEV > 0.5']:.0%}, flips {metrics['flips']:.0%}"
        return line

    def forward(self, batch: MonoBatch) -> Answer:
        """What the network says of objects."""
        return cast(Answer, self.net(batch["image"], batch["numbers"], batch["kind"]))

    def losses(self, batch: MonoBatch, step: int) -> dict[str, Tensor]:
        """Parts of the loss of a batch, weighed."""
        return losses(self(batch), batch, self.space, self.settings, step)

    def training_step(self, batch: Any, index: int) -> Tensor:
        """The loss of one batch."""
        parts = self.losses(batch, self.global_step)
        self.log_dict({f"train/{name}": value.detach() for name, value in parts.items()})
        return torch.stack(list(parts.values())).sum()

    def validation_step(self, batch: MonoBatch, index: int) -> None:
        """Add one batch to the sums; no step's draws matter here."""
        answer = self(batch)
        with torch.random.fork_rng():
            torch.manual_seed(index)
            parts = losses(answer, batch, self.space, self.settings, self.settled)
        self.add_loss(parts, len(batch["kind"]))
        self.add_labelled(answer, batch)

    @property
    def settled(self) -> int:
        """A step at which hypotheses are no longer taken together, and without looking around."""
        return self.settings.loss.mean_steps * self.settings.loss.explore_every + 1

    def add_loss(self, parts: Mapping[str, Tensor], count: int) -> None:
        """Add the loss of so many samples to the validation's."""
        total = torch.stack(list(parts.values())).sum()
        self.add_ratio(self.SCORE, total * count, total.new_tensor(float(count)))

    def add_labelled(self, answer: Answer, batch: MonoBatch) -> None:
        """Add objects that have a label, each beside it."""
        count = answer.place.new_tensor(float(len(batch["kind"])))
        boxes, _ = self.boxes(answer, batch)
        true = batch["box"].double().cpu().numpy()
        known = np.isfinite(true).all(axis=1)
        right = np.diagonal(bev_iou(boxes[known], true[known])) > 0.5
        turned = np.cos(boxes[known, 6] - true[known, 6]) < 0
        labelled = count.new_tensor(float(known.sum()))
        self.add_ratio("BEV > 0.5", count.new_tensor(float(right.sum())), labelled)
        self.add_ratio("flips", count.new_tensor(float(turned.sum())), labelled)
        self.add_ratio("labelled", labelled, count)

    def prediction(self, batch: Any) -> MonoPrediction:
        """See `DetectionTask`; of a `MonoKeyframe`."""
        objects = cast(MonoBatch, {name: cast(Tensor, value)[0] for name, value in batch["objects"].items()})
        count = len(objects["kind"])
        boxes, consistency = np.zeros((0, 7)), np.zeros(0)
        if count:
            objects = cast(MonoBatch, self.transfer_batch_to_device(cast(Any, objects), self.device, 0))
            boxes, consistency = self.boxes(self(objects), objects)
        names = [self.settings.model.classes[i] for i in objects["kind"].tolist()]
        scores = objects["score"].double().cpu().numpy() * consistency
        return MonoPrediction(
            found=merged(
                in_ref(boxes, objects["T_ref_view"].cpu().numpy()), names, scores, batch["sample_token"][0],
                batch["T_global_ref"][0].cpu().numpy(),
            ),
            **no_depth(), said=boxes,
            true=objects["box"].double().cpu().numpy(), moving=objects["moving"].double().cpu().numpy(),
            cut=objects["cut"].any(-1).cpu().numpy(),
        )  # fmt: skip

    def boxes(self, answer: Answer, batch: MonoBatch) -> tuple[np.ndarray[Any, np.dtype[np.float64]], Any]:
        """(B,7) of the likeliest yaw in the view, and (B,) how well they agree with the 2D boxes, 0 to 1."""
        best = answer.logits.argmax(-1, keepdim=True)
        one = answer._replace(yaw=answer.yaw.gather(1, best), logits=answer.logits.gather(1, best))
        placed = place(one, batch["kind"], batch["box_ab"], self.space)
        size = placed.size + placed.size.new_tensor([0.0, self.settings.model.mirrors_m, 0.0])
        boxes = torch.cat([placed.middle, size, placed.yaw], 1).double().cpu().numpy()
        return boxes, self_consistency(placed, batch).double().cpu().numpy()

    def picture(self, prediction: Any, batch: Any) -> Picture | None:
        """See `DetectionTask`; none so far."""
        return None

    def scores(self) -> MonoScores:
        """See `DetectionTask`."""
        return MonoScores(self.settings.model.classes)

    @property
    def estimates_depth(self) -> bool:
        """See `DetectionTask`."""
        return False

    @property
    def needs_depth(self) -> bool:
        """See `DetectionTask`."""
        return False

    @property
    def reads_lidar(self) -> bool:
        """See `DetectionTask`."""
        return False

    def configure_optimizers(self) -> Any:
        """AdamW; the learning rate rises for a tenth of the steps, then falls to nothing."""
        settings = self.settings
        optimizer = torch.optim.AdamW(
            self.net.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, settings.learning_rate, total_steps=int(self.trainer.estimated_stepping_batches),
            pct_start=0.1, final_div_factor=1e3,
        )  # fmt: skip
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def self_consistency(placed: Placed, batch: MonoBatch) -> Tensor:
    """(B,) 1 where the box's image is the 2D box, less where it is not; edges of the image say nothing."""
    wrong = edge_differences(placed.corners()[:, :1], batch["box_ab"])[:, 0].abs()
    seen = ~batch["cut"]
    return (-CONSISTENCY * (wrong * seen).sum(-1) / seen.sum(-1).clamp(min=1)).exp()
