"""Mistakes that people make when they write a recording in nuScenes format, each made to a copy of a good one."""

import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

MISTAKES = {}


def mistake(make):
    MISTAKES[make.__name__] = make
    return make


class Copy:
    """A copy of a recording to spoil: tables as rows, files replaced, never changed in place."""

    def __init__(self, source, out):
        shutil.copytree(source, out, copy_function=os.link, ignore=shutil.ignore_patterns("exact"))
        self.root = Path(out)
        self.folder = next(self.root.glob("v1.0-*"))
        self.tables = {p.stem: json.loads(p.read_text()) for p in self.folder.glob("*.json")}
        channel = {row["token"]: row["channel"] for row in self.tables["sensor"]}
        self.channel = {row["token"]: channel[row["sensor_token"]] for row in self.tables["calibrated_sensor"]}

    def write(self):
        for name, rows in self.tables.items():
            path = self.folder / f"{name}.json"
            path.unlink()
            path.write_text(json.dumps(rows))

    def calibrations(self, kind):
        return [r for r in self.tables["calibrated_sensor"] if self.channel[r["token"]].startswith(kind)]

    def data(self, kind):
        rows = [r for r in self.tables["sample_data"] if self.channel[r["calibrated_sensor_token"]].startswith(kind)]
        return sorted(rows, key=lambda row: row["timestamp"])

    def points(self, change):
        for row in self.data("LIDAR"):
            path = self.root / row["filename"]
            points = change(np.fromfile(path, np.float32).reshape(-1, 5).copy(), row)
            path.unlink()
            path.write_bytes(points.astype(np.float32).tobytes())

    def images(self, change):
        for row in self.data("CAM"):
            path = self.root / row["filename"]
            image = change(cv2.imread(str(path)), row)
            path.unlink()
            cv2.imwrite(str(path), image)


def pose(row):
    T = np.eye(4)
    T[:3, :3] = Rotation.from_quat(np.roll(row["rotation"], -1)).as_matrix()
    T[:3, 3] = row["translation"]
    return T


def put(row, T):
    row["rotation"] = np.roll(Rotation.from_matrix(T[:3, :3]).as_quat(), 1).tolist()
    row["translation"] = T[:3, 3].tolist()


def each_pose(rows, change):
    for row in rows:
        put(row, change(pose(row)))


def turned(deg, axis="z"):
    T = np.eye(4)
    T[:3, :3] = Rotation.from_euler(axis, deg, degrees=True).as_matrix()
    return T


def xyzw(rows):
    for row in rows:
        w, x, y, z = row["rotation"]
        row["rotation"] = [x, y, z, w]


# Poses


@mistake
def quaternions_xyzw_everywhere(c):
    for name in ("ego_pose", "calibrated_sensor", "sample_annotation"):
        xyzw(c.tables[name])


@mistake
def quaternions_xyzw_of_ego_poses(c):
    xyzw(c.tables["ego_pose"])


@mistake
def quaternions_xyzw_of_sensors(c):
    xyzw(c.tables["calibrated_sensor"])


@mistake
def ego_poses_all_identity(c):
    each_pose(c.tables["ego_pose"], lambda T: np.eye(4))


@mistake
def ego_poses_all_the_first(c):
    first = pose(c.tables["ego_pose"][0])
    each_pose(c.tables["ego_pose"], lambda T: first)


@mistake
def ego_poses_inverted(c):
    each_pose(c.tables["ego_pose"], np.linalg.inv)


@mistake
def ego_positions_in_centimetres(c):
    for row in c.tables["ego_pose"]:
        row["translation"] = (100 * np.array(row["translation"])).tolist()


@mistake
def ego_positions_in_millimetres(c):
    for row in c.tables["ego_pose"]:
        row["translation"] = (1000 * np.array(row["translation"])).tolist()


@mistake
def ego_positions_in_feet(c):
    for row in c.tables["ego_pose"]:
        row["translation"] = (np.array(row["translation"]) / 0.3048).tolist()


@mistake
def ego_rotation_left_out(c):
    for row in c.tables["ego_pose"]:
        row["rotation"] = [1.0, 0.0, 0.0, 0.0]


@mistake
def ego_heading_from_north(c):
    """Compass headings: clockwise from north instead of counter-clockwise from east."""
    for row in c.tables["ego_pose"]:
        yaw = Rotation.from_quat(np.roll(row["rotation"], -1)).as_euler("zyx")[0]
        row["rotation"] = np.roll(Rotation.from_euler("z", np.pi / 2 - yaw).as_quat(), 1).tolist()


@mistake
def ego_positions_mirrored(c):
    for row in c.tables["ego_pose"]:
        row["translation"][1] *= -1


@mistake
def ego_poses_in_reverse_order(c):
    poses = [(row["rotation"], row["translation"]) for row in c.tables["ego_pose"]]
    order = np.argsort([row["timestamp"] for row in c.tables["ego_pose"]])
    for place, other in zip(order, order[::-1], strict=True):
        c.tables["ego_pose"][place]["rotation"], c.tables["ego_pose"][place]["translation"] = poses[other]


@mistake
def one_ego_pose_for_all_sensors_of_a_sample(c):
    of = {row["token"]: row for row in c.tables["ego_pose"]}
    lidar = {r["sample_token"]: of[r["ego_pose_token"]] for r in c.data("LIDAR") if r["is_key_frame"]}
    for row in c.data("CAM"):
        source = lidar[row["sample_token"]]
        of[row["ego_pose_token"]].update(rotation=source["rotation"], translation=source["translation"])


@mistake
def ego_poses_with_jumps_of_two_metres(c):
    rng = np.random.default_rng(0)
    for row in c.tables["ego_pose"]:
        row["translation"] = (np.array(row["translation"]) + rng.normal(0, 2, 3) * [1, 1, 0]).tolist()


# Lidar


@mistake
def lidar_extrinsic_inverted(c):
    each_pose(c.calibrations("LIDAR"), np.linalg.inv)


@mistake
def lidar_extrinsic_identity(c):
    each_pose(c.calibrations("LIDAR"), lambda T: np.eye(4))


@mistake
def lidar_extrinsic_a_quarter_turn_off(c):
    each_pose(c.calibrations("LIDAR"), lambda T: T @ turned(90))


@mistake
def lidar_extrinsic_half_a_turn_off(c):
    each_pose(c.calibrations("LIDAR"), lambda T: T @ turned(180))


@mistake
def lidar_upside_down(c):
    each_pose(c.calibrations("LIDAR"), lambda T: T @ turned(180, "x"))


@mistake
def lidar_yaw_five_degrees_off(c):
    each_pose(c.calibrations("LIDAR"), lambda T: T @ turned(5))


@mistake
def lidar_pitch_five_degrees_off(c):
    each_pose(c.calibrations("LIDAR"), lambda T: T @ turned(5, "x"))


@mistake
def points_in_the_ego_frame(c):
    (calibration,) = c.calibrations("LIDAR")
    T = pose(calibration)
    c.points(lambda p, row: np.hstack([p[:, :3] @ T[:3, :3].T + T[:3, 3], p[:, 3:]]))


@mistake
def points_in_the_global_frame(c):
    (calibration,) = c.calibrations("LIDAR")
    of = {row["token"]: row for row in c.tables["ego_pose"]}

    def change(p, row):
        T = pose(of[row["ego_pose_token"]]) @ pose(calibration)
        return np.hstack([p[:, :3] @ T[:3, :3].T + T[:3, 3], p[:, 3:]])

    c.points(change)


@mistake
def points_in_centimetres(c):
    c.points(lambda p, row: p * np.float32([100, 100, 100, 1, 1]))


@mistake
def points_in_kilometres(c):
    c.points(lambda p, row: p * np.float32([1e-3, 1e-3, 1e-3, 1, 1]))


@mistake
def points_in_feet(c):
    c.points(lambda p, row: p * np.float32([3.28, 3.28, 3.28, 1, 1]))


@mistake
def points_mirrored(c):
    c.points(lambda p, row: p * np.float32([-1, 1, 1, 1, 1]))


@mistake
def points_with_axes_in_another_order(c):
    c.points(lambda p, row: p[:, [1, 2, 0, 3, 4]])


@mistake
def points_with_x_and_y_swapped(c):
    c.points(lambda p, row: p[:, [1, 0, 2, 3, 4]])


@mistake
def ring_constant(c):
    c.points(lambda p, row: p * np.float32([1, 1, 1, 1, 0]))


@mistake
def ring_at_random(c):
    rng = np.random.default_rng(0)
    c.points(lambda p, row: np.hstack([p[:, :4], rng.integers(0, 32, (len(p), 1))]))


@mistake
def sweeps_in_reverse_order(c):
    names = [row["filename"] for row in c.data("LIDAR")]
    for row, name in zip(c.data("LIDAR"), names[::-1], strict=True):
        row["filename"] = name


@mistake
def one_file_for_all_sweeps(c):
    rows = c.data("LIDAR")
    for row in rows:
        row["filename"] = rows[0]["filename"]


# Cameras


@mistake
def camera_extrinsics_inverted(c):
    each_pose(c.calibrations("CAM"), np.linalg.inv)


@mistake
def camera_extrinsics_identity(c):
    each_pose(c.calibrations("CAM"), lambda T: np.eye(4))


@mistake
def camera_frame_x_ahead(c):
    """Axes x ahead, y left, z up instead of x right, y down, z ahead."""
    T_cam_body = np.array([[0.0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    each_pose(c.calibrations("CAM"), lambda T: T @ T_cam_body)


@mistake
def two_cameras_extrinsics_swapped(c):
    a, b = (c.calibrations(channel)[0] for channel in ("CAM_FRONT_LEFT", "CAM_FRONT_RIGHT"))
    Ta, Tb = pose(a), pose(b)
    put(a, Tb)
    put(b, Ta)


@mistake
def camera_yaw_five_degrees_off(c):
    each_pose(c.calibrations("CAM"), lambda T: T @ turned(5, "y"))


@mistake
def intrinsics_of_twice_the_size(c):
    for row in c.calibrations("CAM"):
        row["camera_intrinsic"] = (np.array(row["camera_intrinsic"]) * [[2], [2], [1]]).tolist()


@mistake
def intrinsics_of_half_the_size(c):
    for row in c.calibrations("CAM"):
        row["camera_intrinsic"] = (np.array(row["camera_intrinsic"]) * [[0.5], [0.5], [1]]).tolist()


@mistake
def intrinsics_transposed(c):
    for row in c.calibrations("CAM"):
        row["camera_intrinsic"] = np.array(row["camera_intrinsic"]).T.tolist()


@mistake
def intrinsics_without_principal_point(c):
    for row in c.calibrations("CAM"):
        row["camera_intrinsic"][0][2] = row["camera_intrinsic"][1][2] = 0.0


@mistake
def focal_length_a_third_too_long(c):
    for row in c.calibrations("CAM"):
        row["camera_intrinsic"][0][0] *= 1.33
        row["camera_intrinsic"][1][1] *= 1.33


@mistake
def images_of_other_cameras(c):
    rows = c.data("CAM")
    by_sample = {}
    for row in rows:
        by_sample.setdefault(row["sample_token"], []).append(row)
    for mine in by_sample.values():
        mine.sort(key=lambda row: c.channel[row["calibrated_sensor_token"]])
        names = [row["filename"] for row in mine]
        for row, name in zip(mine, names[1:] + names[:1], strict=True):
            row["filename"] = name


@mistake
def images_in_reverse_order(c):
    channels = sorted({c.channel[row["calibrated_sensor_token"]] for row in c.data("CAM")})
    for channel in channels:
        rows = [row for row in c.data("CAM") if c.channel[row["calibrated_sensor_token"]] == channel]
        names = [row["filename"] for row in rows]
        for row, name in zip(rows, names[::-1], strict=True):
            row["filename"] = name


@mistake
def images_mirrored(c):
    c.images(lambda image, row: image[:, ::-1])


@mistake
def images_upside_down(c):
    c.images(lambda image, row: image[::-1, ::-1])


@mistake
def images_of_a_lens_with_distortion(c):
    def bent(image, row):
        h, w = image.shape[:2]
        K = np.array([[w * 0.8, 0, w / 2], [0, w * 0.8, h / 2], [0, 0, 1]])
        maps = cv2.initUndistortRectifyMap(K, np.array([0.6, 0.3, 0, 0]), None, K, (w, h), cv2.CV_32FC1)
        return cv2.remap(image, *maps, cv2.INTER_LINEAR)

    c.images(bent)


# Time


def stamps(c, change, names=("sample", "sample_data", "ego_pose")):
    for name in names:
        for row in c.tables[name]:
            row["timestamp"] = int(change(row["timestamp"]))


@mistake
def stamps_in_nanoseconds(c):
    stamps(c, lambda t: t * 1000)


@mistake
def stamps_in_milliseconds(c):
    stamps(c, lambda t: t // 1000)


@mistake
def stamps_in_seconds(c):
    stamps(c, lambda t: t // 1_000_000)


@mistake
def camera_clock_an_hour_off(c):
    for row in c.data("CAM"):
        row["timestamp"] += 3_600_000_000


@mistake
def camera_clock_half_a_second_off(c):
    for row in c.data("CAM"):
        row["timestamp"] += 500_000


@mistake
def stamps_ten_times_slow(c):
    first = min(row["timestamp"] for row in c.tables["sample_data"])
    stamps(c, lambda t: first + 10 * (t - first))


@mistake
def all_stamps_equal(c):
    first = min(row["timestamp"] for row in c.tables["sample_data"])
    stamps(c, lambda t: first)


# Boxes


@mistake
def box_sizes_length_first(c):
    for row in c.tables["sample_annotation"]:
        w, length, h = row["size"]
        row["size"] = [length, w, h]


@mistake
def box_headings_a_quarter_turn_off(c):
    each_pose(c.tables["sample_annotation"], lambda T: T @ turned(90))


@mistake
def box_centres_at_the_bottom(c):
    for row in c.tables["sample_annotation"]:
        row["translation"][2] -= row["size"][2] / 2


@mistake
def boxes_in_the_ego_frame(c):
    of = {row["token"]: row for row in c.tables["ego_pose"]}
    lidar = {r["sample_token"]: pose(of[r["ego_pose_token"]]) for r in c.data("LIDAR") if r["is_key_frame"]}
    for row in c.tables["sample_annotation"]:
        put(row, np.linalg.inv(lidar[row["sample_token"]]) @ pose(row))


@mistake
def box_sizes_in_centimetres(c):
    for row in c.tables["sample_annotation"]:
        row["size"] = [100 * side for side in row["size"]]


@mistake
def quaternions_xyzw_of_boxes(c):
    xyzw(c.tables["sample_annotation"])
