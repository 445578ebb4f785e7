"""Labels of `densegt autolabel` against the exact boxes of simulated worlds.

python -m benchmarks.accuracy.autolabel --worlds city-17 city-18 simple-4
python -m benchmarks.accuracy.autolabel --worlds city-17 --details --json figures.json
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.image_objects import coco
from densegt.accumulation.scene_input import read_scene
from densegt.autolabel.boxes_2d import ImageObjects, parse_image_objects
from densegt.autolabel.config import AutolabelConfig
from densegt.autolabel.evidence import SceneEvidence, gather_evidence
from densegt.autolabel.job import knowledge
from densegt.autolabel.labels import BoxOverTime, Label
from densegt.autolabel.pipeline import candidates, label_evidence
from densegt.autolabel.verification import as_row
from densegt.datasets import open_recording
from densegt.depth.store import SceneReader
from densegt.detection.scoring.rotated_iou import bev_iou, iou_3d
from densegt.geometry import se3
from densegt.simulate.config import SimulateConfig
from densegt.simulate.drive import Thing

NOTES = """\
Vehicles (cars, trucks, buses, trailers; exact boxes, mirrors included) that some sweep measured with at least 20 points
within 40 m. Recall: share whose best verified label overlaps them by the IoU seen from above; precision: share of the
verified labels within 40 m that overlap any vehicle so. Each vehicle and each label counts once, at the keyframe where
the label has most points. Centre, size, yaw and speed are of the pairs above 0.5: medians, yaw but for half a turn;
flips: share that face backwards.
"""
VEHICLES = ("vehicle.car", "vehicle.truck", "vehicle.bus", "vehicle.trailer", "vehicle.construction")
MIN_POINTS, MAX_RANGE_M = 20, 40.0
MOVING_M = 0.5

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class ExactObject:
    """An object of a simulated world.

    Attributes:
        T_global_box: (K,4,4) at the keyframes.
        asked: whether it was seen well enough to be asked for.
    """

    thing: Thing
    T_global_box: Float64
    moving: bool
    asked: bool

    def box(self, k: int) -> Float64:
        """x, y, z, l, w, h, yaw at a keyframe."""
        return _box(self.T_global_box[k], self.thing.size_lwh_m)


@dataclass(frozen=True)
class CandidateRow:
    """A fit's figures, and how far it overlaps a vehicle; ignored: it is on one that is not asked for."""

    figures: Float64
    iou: float
    moving: bool
    ignored: bool


@dataclass(frozen=True)
class Pair:
    """A label and the vehicle it overlaps most."""

    moving: bool
    verified: bool
    probability: float
    bev_iou: float
    iou_3d: float
    centre_m: float
    yaw_deg: float
    flipped: bool
    length_m: float
    width_m: float
    height_m: float
    speed_mps: float


def read_evidence(world: Path, config: AutolabelConfig) -> SceneEvidence:
    """Of a world's first scene."""
    recording = open_recording(world)
    return gather_evidence(read_scene(recording, recording.scene_names[0], config.accumulate), config.accumulate)


def exact_vehicles(world: Path, evidence: SceneEvidence) -> list[ExactObject]:
    """All of them, labelled or not."""
    return exact_objects(world, evidence, VEHICLES)


def exact_objects(world: Path, evidence: SceneEvidence, categories: tuple[str, ...]) -> list[ExactObject]:
    """All whose category begins with one of these words."""
    said = SceneReader(world / "exact" / f"{evidence.scene.name}.h5").config
    things, T_global_world = simulated_things(said)
    first_us = min(s.timestamp_us for s in evidence.scene.sweeps if s.is_keyframe)
    measured = evidence.measured
    stamps_s = (keyframes_us(evidence) - first_us) * 1e-6
    sweeps_s = measured.middle_s + (measured.start_us - first_us) * 1e-6
    found = []
    for thing in things:
        if thing.category.startswith(categories):
            T = T_global_world @ thing.T_world_box(sweeps_s)
            T[:, :3, 3] -= measured.origin_global_m
            asked = any(_seen_well(T[k], thing.size_lwh_m, k, evidence) for k in range(len(T)))
            xy = T[:, :2, 3]
            moving = float(np.linalg.norm(xy - np.median(xy, axis=0), axis=1).max()) > MOVING_M
            found.append(ExactObject(thing, T_global_world @ thing.T_world_box(stamps_s), moving, asked))
    return found


def simulated_things(said: dict[str, Any]) -> tuple[Sequence[Thing], Float64]:
    """What has an object id in a world, and T_global_world; `said`: the configuration of its file of exact depth."""
    names = {field.name for field in fields(SimulateConfig)}
    config = SimulateConfig(**{k: v for k, v in said["simulate"].items() if k in names})
    if said.get("street") == "city":
        from densegt.simulate.city import CityStreet
        from densegt.simulate.world import make_world

        world = make_world(config, CityStreet().read(), 0)
        return world.things, world.T_global_world
    from densegt.simulate.simple.world import make_world as make_simple_world

    simple = make_simple_world(config, 0)
    return simple.things, simple.T_global_world


def keyframes_us(evidence: SceneEvidence) -> Float64:
    """Stamps of the keyframes."""
    stamps = {s.sample_token: s.timestamp_us for s in evidence.scene.sweeps if s.is_keyframe}
    return np.array([*stamps.values()], dtype=np.float64)


def _seen_well(T: Float64, size_lwh_m: Float64, k: int, evidence: SceneEvidence) -> bool:
    measured = evidence.measured
    if np.linalg.norm(T[:2, 3] - measured.images.origin[k, :2]) > MAX_RANGE_M:
        return False
    xyz = measured.surfels.xyz[measured.first[k] : measured.first[k + 1]]
    near = xyz[np.abs(xyz[:, :2] - T[:2, 3]).max(axis=1) < 8]
    inside = (np.abs(se3.apply(se3.inverse(T), near)) <= size_lwh_m / 2 + 0.05).all(axis=1)
    return int(inside.sum()) >= MIN_POINTS


def _box(T: Float64, size_lwh_m: Float64) -> Float64:
    return np.array([*T[:3, 3], *size_lwh_m, np.arctan2(T[1, 0], T[0, 0])])


def detected_objects(world: Path) -> ImageObjects:
    """2D boxes as a detector might give them."""
    return parse_image_objects(coco(world))


def judged_candidates(
    evidence: SceneEvidence, vehicles: list[ExactObject], config: AutolabelConfig, objects: ImageObjects | None
) -> Iterator[CandidateRow]:
    """Every fit, and how far it overlaps a vehicle at the keyframe in the middle of its own time."""
    prior = knowledge(None).prior
    stamps = keyframes_us(evidence)
    for candidate in candidates(evidence, prior, config, objects):
        box = BoxOverTime.of(candidate, evidence, config.mirrors_m)
        known = np.flatnonzero(box.known_at(stamps))
        if len(known):
            k = int(known[len(known) // 2])
            mine = _box(box.poses_at(stamps)[k], box.size_lwh_m)[None]
            iou = bev_iou(mine, np.stack([v.box(k) for v in vehicles]))[0] if vehicles else np.zeros(1)
            best = int(iou.argmax())
            ignored = bool(iou[best] > 0.05 and not vehicles[best].asked)
            yield CandidateRow(as_row(candidate.agreement), float(iou[best]), candidate.track is not None, ignored)


def pairs_of(labels: list[Label], vehicles: list[ExactObject], evidence: SceneEvidence) -> tuple[list[Pair], list[int]]:
    """Labels that overlap no vehicle that is not asked for, and the index of each one's vehicle, -1 for none."""
    tokens = [*{s.sample_token: None for s in evidence.scene.sweeps if s.is_keyframe}]
    lidar = evidence.measured.images.origin[:, :2] + evidence.measured.origin_global_m[:2]
    pairs, index = [], []
    for label in (one for one in labels if one.family):
        at = int(label.points.argmax())
        k = tokens.index(label.sample_tokens[at])
        mine = _box(label.T_global_box[at], label.size_lwh_m)
        iou = bev_iou(mine[None], np.stack([v.box(k) for v in vehicles]))[0] if vehicles else np.zeros(1)
        best = int(iou.argmax())
        near = float(np.linalg.norm(lidar - mine[:2], axis=1).min()) <= MAX_RANGE_M
        if not near or (iou[best] > 0.05 and not vehicles[best].asked):
            continue
        pairs.append(_pair(label, at, mine, vehicles[best] if iou[best] > 0 else None, k, float(iou[best])))
        index.append(best if iou[best] > 0 else -1)
    return pairs, index


def _pair(label: Label, at: int, mine: Float64, vehicle: ExactObject | None, k: int, iou: float) -> Pair:
    speed = float(np.linalg.norm(label.velocity_mps[at]))
    if vehicle is None:
        return Pair(speed > 0.3, label.verified, label.probability, 0.0, 0.0, *[np.nan] * 2, False, *[np.nan] * 4)
    truth = vehicle.box(k)
    before, after = max(k - 1, 0), min(k + 1, len(vehicle.T_global_box) - 1)
    moved = vehicle.T_global_box[after, :2, 3] - vehicle.T_global_box[before, :2, 3]
    true_speed = float(np.linalg.norm(moved)) / (0.5 * max(after - before, 1))
    turned = np.rad2deg((mine[6] - truth[6] + np.pi) % (2 * np.pi) - np.pi)
    return Pair(
        moving=vehicle.moving,
        verified=label.verified,
        probability=label.probability,
        bev_iou=iou,
        iou_3d=float(iou_3d(mine[None], truth[None])[0, 0]),
        centre_m=float(np.linalg.norm(mine[:2] - truth[:2])),
        yaw_deg=float(min(abs(turned), abs(180 - abs(turned)))),
        flipped=bool(abs(turned) > 90),
        length_m=float(mine[3] - truth[3]),
        width_m=float(mine[4] - truth[4]),
        height_m=float(mine[5] - truth[5]),
        speed_mps=abs(speed - true_speed),
    )


def figures(
    pairs: Sequence[Pair], index: Sequence[int], vehicles: Sequence[ExactObject], seconds: float
) -> dict[str, Any]:
    """Counts of a world, to be summed, and lists of errors."""
    out: dict[str, Any] = {"seconds": seconds, "labels": len(pairs)}
    for kind, moving in (("parked", False), ("moving", True)):
        asked = [n for n, v in enumerate(vehicles) if v.asked and v.moving == moving]
        best = {
            n: max((p.bev_iou for p, i in zip(pairs, index, strict=True) if i == n and p.verified), default=0.0)
            for n in asked
        }
        mine = [p for p in pairs if p.verified and p.moving == moving]
        good = [p for p in mine if p.bev_iou >= 0.5]
        out[kind] = {
            "asked": len(asked),
            "found 0.5": sum(b >= 0.5 for b in best.values()),
            "found 0.7": sum(b >= 0.7 for b in best.values()),
            "verified": len(mine),
            "right 0.5": len(good),
            "right 0.7": sum(p.bev_iou >= 0.7 for p in mine),
            "flips": sum(p.flipped for p in good),
            "errors": [asdict(p) for p in good],
        }
    return out


def table(worlds: Sequence[dict[str, Any]]) -> str:
    """Figures of all worlds together, as Markdown."""
    head = "| vehicles | asked for | recall 0.5 / 0.7 % | verified | precision 0.5 / 0.7 % | BEV IoU | centre m (p90) "
    lines = [head + "| yaw deg | flips % | length, width, height m | speed m/s |", "| --- " + "| ---: " * 10 + "|"]
    for kind in ("parked", "moving", "all"):
        parts = [w[k] for w in worlds for k in (("parked", "moving") if kind == "all" else (kind,))]
        total = {key: sum(p[key] for p in parts) for key in parts[0] if key != "errors"}
        errors = [e for p in parts for e in p["errors"]]

        def of(name: str, q: float = 0.5, errors: list[dict[str, Any]] = errors) -> float:
            return float(np.quantile(np.abs([e[name] for e in errors]), q)) if errors else float("nan")

        def share(count: str, of_all: str, total: dict[str, Any] = total) -> str:
            return f"{100 * total[count] / max(total[of_all], 1):.0f}"

        columns = (
            kind, total["asked"], f"{share('found 0.5', 'asked')} / {share('found 0.7', 'asked')}",
            total["verified"], f"{share('right 0.5', 'verified')} / {share('right 0.7', 'verified')}",
            f"{of('bev_iou'):.2f}", f"{of('centre_m'):.2f} ({of('centre_m', 0.9):.2f})", f"{of('yaw_deg'):.1f}",
            share("flips", "right 0.5"), ", ".join(f"{of(n):.2f}" for n in ("length_m", "width_m", "height_m")),
            f"{of('speed_mps'):.2f}",
        )  # fmt: skip
        lines.append("| " + " | ".join(map(str, columns)) + " |")
    return "\n".join(lines)


def measure_world(world: Path, config: AutolabelConfig, *, pictured: bool, details: bool) -> dict[str, Any]:
    """Label a world's first scene, and score that."""
    objects = detected_objects(world) if pictured else None
    started = time.process_time()
    labels = label_evidence(evidence := read_evidence(world, config), knowledge(None), config, objects)
    return measure(world, evidence, labels, time.process_time() - started, details=details)


def measure(
    world: Path, evidence: SceneEvidence, labels: list[Label], seconds: float, *, details: bool
) -> dict[str, Any]:
    """Score the labels of a world's evidence."""
    vehicles = exact_vehicles(world, evidence)
    pairs, index = pairs_of(labels, vehicles, evidence)
    if details:
        for pair, i in sorted(zip(pairs, index, strict=True), key=lambda p: -p[0].probability):
            print(f"  {vehicles[i].thing.category if i >= 0 else 'nothing'}: {pair}")
        for n, vehicle in enumerate(vehicles):
            if vehicle.asked and n not in index:
                print(f"  missed: {vehicle.thing.category} {'moving' if vehicle.moving else 'parked'}")
    return {"world": world.name, **figures(pairs, index, vehicles, seconds)}


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("--worlds", nargs="+", type=Path, required=True, metavar="DIR", help="of `densegt simulate`")
    out.add_argument("--boxes-2d", action="store_true", help="with 2D boxes of what can be seen, a tenth missed")
    out.add_argument("--details", action="store_true", help="print every label")
    out.add_argument("--json", type=Path, metavar="FILE")
    return out


def main() -> None:
    """Measure worlds and print the table."""
    options = parser().parse_args()
    of = {"pictured": options.boxes_2d, "details": options.details}
    found = [measure_world(world, AutolabelConfig(), **of) for world in options.worlds]
    print(NOTES)
    print(table(found))
    seconds, labels = (float(np.mean([w[key] for w in found])) for key in ("seconds", "labels"))
    print(f"\n{seconds:.0f} s of processor time a scene, {labels:.0f} labels")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
