"""Sweeps with and without rings, in rows of float32, PCD, NPY and NPZ: one recording, whatever its files are."""

import numpy as np
import pytest

from densegt.datasets.beams import ring_fault
from densegt.datasets.nuscenes import NuScenes
from densegt.datasets.nuscenes.check import check

from ..copies import first_file, replace, rows_of, write_rows

# Points of low beams are moved by the compensation of the car's motion, and a few beams fall in two.
MOST_BEAMS = 0.8
FIELDS = ("x", "y", "z", "intensity", "ring")


def rewrite(root, suffix, write):
    """Each sweep's rows (N,5), written anew under another suffix."""
    for path in sorted(root.glob("s*/LIDAR_TOP/*.pcd.bin")):
        rows = np.fromfile(path, np.float32).reshape(-1, 5)
        path.unlink()
        write(path.with_name(path.name.removesuffix(".pcd.bin") + suffix), rows)
    rows = rows_of(root, "sample_data")
    write_rows(root, "sample_data", [{**r, "filename": r["filename"].replace(".pcd.bin", suffix)} for r in rows])


def four(path, rows):
    path.write_bytes(rows[:, :4].tobytes())


def with_time(path, rows):
    timed = rows.copy()
    timed[:, 4] = np.linspace(-0.05, 0, len(rows))
    path.write_bytes(timed.tobytes())


def npz(path, rows):
    np.savez(path, xyz=rows[:, :3], intensity=rows[:, 3], ring=rows[:, 4].astype(np.uint16))


def structured_npy(path, rows):
    np.save(path, np.rec.fromarrays(list(rows.T), names=list(FIELDS)))


def pcd(path, rows, columns=5, data="binary"):
    n = columns
    header = [
        "VERSION 0.7", f"FIELDS {' '.join(FIELDS[:n])}", f"SIZE {'4 ' * n}", f"TYPE {'F ' * n}", f"COUNT {'1 ' * n}",
        f"WIDTH {len(rows)}", "HEIGHT 1", f"POINTS {len(rows)}", f"DATA {data}", "",
    ]  # fmt: skip
    rows = np.ascontiguousarray(rows[:, :n])
    body = rows.tobytes() if data == "binary" else "\n".join(" ".join(f"{x:.9g}" for x in row) for row in rows).encode()
    path.write_bytes("\n".join(header).encode() + body)


WITH_RINGS = {
    "npy": (".npy", lambda path, rows: np.save(path, rows)),
    "npy with names": (".npy", structured_npy),
    "npz": (".npz", npz),
    "pcd": (".pcd", pcd),
    "pcd in ascii": (".pcd", lambda path, rows: pcd(path, rows[:2000], data="ascii")),
    "float32 by another name": (".bin", lambda path, rows: path.write_bytes(rows.tobytes())),
}
WITHOUT = {
    "four columns": (".pcd.bin", four),
    "a time in the ring's place": (".pcd.bin", with_time),
    "pcd": (".pcd", lambda path, rows: pcd(path, rows, columns=4)),
    "pcd of x y z": (".pcd", lambda path, rows: pcd(path, rows, columns=3)),
    "npy of four columns": (".npy", lambda path, rows: np.save(path, rows[:, :4])),
}


def first_points(root):
    recording = NuScenes(root)
    scene = recording.scene("scene-0001")
    return scene, scene.read_points(scene.sweeps[0])


@pytest.mark.parametrize("kind", WITH_RINGS)
def test_files_with_rings(tiny_dataset, damaged, kind):
    _, expected = first_points(tiny_dataset)
    rewrite(damaged, *WITH_RINGS[kind])
    scene, points = first_points(damaged)
    n = len(points.ring)
    assert n == (2000 if "ascii" in kind else len(expected.ring))
    np.testing.assert_array_equal(points.xyz_lidar, expected.xyz_lidar[:n])
    np.testing.assert_array_equal(points.ring, expected.ring[:n])
    np.testing.assert_array_equal(points.intensity, expected.intensity[:n])
    assert scene.notes == ()
    report = check(damaged)
    assert report.findings == ()
    assert report.sweeps == len(scene.sweeps)


@pytest.mark.parametrize("kind", WITHOUT)
def test_rings_are_worked_out_where_files_have_none(tiny_dataset, damaged, kind):
    _, expected = first_points(tiny_dataset)
    rewrite(damaged, *WITHOUT[kind])
    scene, points = first_points(damaged)
    np.testing.assert_array_equal(points.xyz_lidar, expected.xyz_lidar)
    assert same_beams(points, expected) > MOST_BEAMS
    (note,) = scene.notes
    assert note.startswith("rings of LIDAR_TOP are worked out from elevations: ")
    report = check(damaged)
    assert report.findings == ()
    assert report.notes == (note,)


def same_beams(points, expected):
    """Share of points beyond 3 m whose neighbours in a ring of the one are neighbours in a ring of the other."""
    far = np.linalg.norm(expected.xyz_lidar, axis=1) > 3
    right = 0
    for ring in np.unique(expected.ring):
        right += np.bincount(points.ring[far & (expected.ring == ring)], minlength=1).max(initial=0)
    return right / far.sum()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda ring: np.zeros_like(ring), "each point has ring 0"),
        (lambda ring: np.full_like(ring, -1), "each point has ring -1"),
        (lambda ring: np.full_like(ring, 7), "each point has ring 7"),
        (lambda ring: np.random.default_rng(0).integers(0, 32, len(ring)), "at all elevations"),
        (lambda ring: np.arange(len(ring)) % 4, "at all elevations"),
    ],
    ids=["0", "-1", "7", "random", "by turns"],
)
def test_a_fifth_column_that_means_nothing(tiny_dataset, damaged, change, says):
    def write(path, rows):
        rows = rows.copy()
        rows[:, 4] = change(rows[:, 4])
        path.write_bytes(rows.tobytes())

    _, expected = first_points(tiny_dataset)
    rewrite(damaged, ".pcd.bin", write)
    scene, points = first_points(damaged)
    (note,) = scene.notes
    assert says in note
    assert same_beams(points, expected) > MOST_BEAMS
    assert check(damaged).notes == (note,)


@pytest.mark.parametrize(
    "numbered",
    [
        lambda ring: ring,
        lambda ring: ring.max() - ring,
        lambda ring: (ring * 11) % 32,
        lambda ring: ring % 2 * 16 + ring // 2,
    ],
    ids=["from the lowest", "from the highest", "as they fire", "two blocks"],
)
def test_rings_that_are_beams_stay(tiny_dataset, numbered):
    _, points = first_points(tiny_dataset)
    assert ring_fault(points.xyz_lidar, numbered(points.ring.astype(np.float32))) is None


def test_a_lidar_of_one_plane_has_one_ring():
    angle = np.linspace(0, 6.28, 1000)
    xyz = np.stack([9 * np.cos(angle), 9 * np.sin(angle), np.zeros(1000)], axis=1).astype(np.float32)
    assert ring_fault(xyz, np.zeros(1000)) is None


def test_real_recordings_keep_their_rings(recording):
    dataset = NuScenes(recording)
    for name in dataset.scene_names:
        assert dataset.scene(name).notes == ()


@pytest.mark.parametrize("cut", [1, 4, 8, 12, 16])
def test_five_columns_cut_off_are_not_four(damaged, cut):
    path = first_file(damaged, "sweeps/LIDAR_TOP/*")
    data = path.read_bytes()
    # Any number of rows, so that the rest is now and then one of rows of four.
    for rows in range(40, 44):
        replace(path, data[: 20 * rows - cut])
        (finding,) = check(damaged).findings
        assert (finding.kind, finding.where) == ("truncated", f"sweeps/LIDAR_TOP/{path.name}")
        (thing,) = NuScenes(damaged).scene("scene-0001").set_aside
        assert "bytes left over" in thing.why


@pytest.mark.parametrize(("channel", "modality"), [("velodyne_top", "lidar"), ("TOP", "lidar"), ("LIDAR_1", "unknown")])
def test_a_lidar_of_any_name(damaged, channel, modality):
    sensors = rows_of(damaged, "sensor")
    named = {"channel": channel, "modality": modality}
    write_rows(damaged, "sensor", [{**r, **named} if r["channel"] == "LIDAR_TOP" else r for r in sensors])
    scene, _ = first_points(damaged)
    assert [lidar.channel for lidar in scene.lidars] == [channel]
    report = check(damaged)
    assert (report.findings, report.sweeps) == ((), len(scene.sweeps))


@pytest.mark.parametrize("folder", ["", "tables", "v1.02-train"])
def test_tables_that_lie_elsewhere(damaged, folder):
    tables, target = damaged / "v1.0-mini", damaged / folder
    target.mkdir(exist_ok=True)
    for path in tables.iterdir():
        path.rename(target / path.name)
    tables.rmdir()
    scene, _ = first_points(damaged)
    assert len(scene.sweeps) == 31
    report = check(damaged)
    assert report.findings == ()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("size", [{"width": 0, "height": 0}, {"width": None, "height": None}, {"width": 0}, None])
def test_a_size_that_the_table_leaves_out_is_read_off_the_image(damaged, size, suffix):
    import cv2

    rows = rows_of(damaged, "sample_data")
    for row in rows:
        row.update(size or {})
        if size is None:
            del row["width"], row["height"]
        if suffix == ".png" and row["filename"].endswith(".jpg"):
            path = damaged / row["filename"]
            cv2.imwrite(str(path.with_suffix(".png")), cv2.imread(str(path)))
            row["filename"] = row["filename"].replace(".jpg", ".png")
    write_rows(damaged, "sample_data", rows)
    scene, _ = first_points(damaged)
    assert {(camera.width_px, camera.height_px) for camera in scene.cameras} == {(160, 90)}
    assert check(damaged).findings == ()


@pytest.mark.parametrize("field", ["visibility_token", "attribute_tokens", "prev", "next"])
def test_links_that_are_null(damaged, field):
    rows = rows_of(damaged, "sample_annotation")
    fields = {"prev": None, "next": None} if field in ("prev", "next") else {field: None}
    write_rows(damaged, "sample_annotation", [{**row, **fields} for row in rows])
    assert check(damaged).findings == ()
    assert first_points(damaged)[0].tracks
