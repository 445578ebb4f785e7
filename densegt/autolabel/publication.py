"""What is made of all scenes' labels together: result JSON, tracks, a recording with these annotations, meshes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from densegt.autolabel.publish import SceneLabels, read_labels, write_results, write_tracks
from densegt.autolabel.tables import write_recording
from densegt.datasets.recording import Recording
from densegt.geometry import se3
from densegt.shapes.mesh import mesh, write_glb, write_ply
from densegt.shapes.prior import ShapePrior


def publish(recording: Recording, out: Path, names: Sequence[str], *, verified_only: bool) -> list[str]:
    """Write results.json, tracks.json and, of a recording in nuScenes format, recording/; what was written, in lines.

    Args:
        out: folder of the scenes' labels; names: of the scenes, those that failed have no file.
        verified_only: leave out what did not pass verification.

    Raises:
        InputError: a file of labels cannot be read.
    """
    paths = [out / f"{name}.h5" for name in names]
    scenes = [read_labels(path) for path in paths if path.exists()]
    if verified_only:
        scenes = [verified(scene) for scene in scenes]
    write_results(out / "results.json", scenes)
    write_tracks(out / "tracks.json", scenes)
    boxes = sum(len(label.sample_tokens) for scene in scenes for label in scene.labels)
    lines = [f"{out / 'results.json'}: {boxes} boxes, in nuScenes' detection format; as tracks in tracks.json"]
    tables = recording.source
    if (tables / "sample.json").is_file():
        write_recording(out / "recording", recording.root, tables, scenes)
        lines.append(f"{out / 'recording'}: the recording with these annotations")
    return lines


def verified(scene: SceneLabels) -> SceneLabels:
    """The labels that passed verification."""
    return replace(scene, labels=tuple(label for label in scene.labels if label.verified))


def write_meshes(out: Path, names: Sequence[str], prior: ShapePrior, *, verified_only: bool) -> int:
    """Write each shape as meshes/<scene>/<token>.ply and .glb, in its box's frame; how many.

    Raises:
        InputError: a file of labels cannot be read.
    """
    count = 0
    for name in names:
        path = out / f"{name}.h5"
        labels = read_labels(path).labels if path.exists() else ()
        for label in labels:
            if label.family and (label.verified or not verified_only):
                vertices, faces = mesh(prior.decoder, label.code, label.size_lwh_m)
                in_box = se3.apply(label.T_box_shape, vertices)
                write_ply(out / "meshes" / name / f"{label.token}.ply", in_box, faces)
                write_glb(out / "meshes" / name / f"{label.token}.glb", in_box, faces)
                count += 1
    return count
