"""What is learned from: stores that belong together, and stores that do not."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from densegt.completion.examples import MOST, OF_IMAGE, ExampleKey, Sources, keys_of, object_weight, read_example
from densegt.completion.split import split
from densegt.depth.kind import Kind
from densegt.depth.store import SceneReader
from densegt.errors import InputError

from ..depth.stores import camera, write_store
from .scenes import HEIGHT_PX, WIDTH_PX, scan_lines, street

SIZE = (WIDTH_PX, HEIGHT_PX)


def store(folder, depth_of, *, scenes=("scene-a",), samples=3, layers=None):
    """A store whose images hold `depth_of(number of the sample)`."""
    for scene in scenes:
        images = [
            (camera(sample=f"{scene}-{n}", size=SIZE, timestamp_us=1000 * n), depth_of(n), layers)
            for n in range(samples)
        ]
        write_store(folder, images, scene=scene)
    return folder


@pytest.fixture
def folders(tmp_path):
    """Images, accumulated depth with confidence, single sweeps, exact depth."""
    image, truth = street()
    for scene in ("scene-a", "scene-b"):
        for n in range(3):
            path = tmp_path / "data" / camera(sample=f"{scene}-{n}", size=SIZE).filename
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), image[..., ::-1])
    both = ("scene-a", "scene-b")
    half = np.where(truth < 12, truth, 0)
    confidence = {"confidence": np.where(half > 0, 204, 0).astype(np.uint8)}
    return Sources(
        tmp_path / "data",
        store(tmp_path / "depth", lambda n: half, scenes=both, layers=confidence),
        store(tmp_path / "sweeps", lambda n: scan_lines(truth), scenes=both),
        store(tmp_path / "exact", lambda n: truth, scenes=both),
    )


def test_what_an_example_holds(folders):
    keys = keys_of([folders])
    assert [(k.scene, k.sample_token) for k in keys] == [
        (s, f"{s}-{n}") for s in ("scene-a", "scene-b") for n in range(3)
    ]
    _, truth = street()
    exact = read_example(keys[0])
    assert exact.exact
    assert (exact.weight == 1).all()
    np.testing.assert_allclose(exact.target_m, truth, atol=1 / 256)
    assert [bool((given.depth_m > 0).mean() > 0.1) for given in exact.inputs] == [True, False]
    own = read_example(replace(keys[0], sources=replace(folders, truth=None)))
    assert not own.exact
    np.testing.assert_allclose(own.weight[own.target_m > 0], 0.8)
    assert not own.weight[own.target_m == 0].any()
    np.testing.assert_array_equal(own.target_m, own.inputs[0].depth_m)


def test_images_that_one_store_lacks_are_left_out(folders, tmp_path):
    _, truth = street()
    few = store(tmp_path / "few", lambda n: truth, scenes=("scene-b",), samples=2)
    keys = keys_of([replace(folders, truth=few)])
    assert [k.sample_token for k in keys] == ["scene-b-0", "scene-b-1"]


@pytest.mark.parametrize(
    ("depth_of", "scene", "says"),
    [
        (lambda truth: truth, "scene-x", "no image in common"),
        (lambda truth: np.zeros_like(truth), "scene-a", "no pixel in common"),
        (lambda truth: truth[::-1, ::-1] * 2, "scene-a", "apart in the median"),
    ],
    ids=["other scenes", "empty", "of another place"],
)
def test_input_and_target_that_do_not_belong_together(folders, tmp_path, depth_of, scene, says):
    _, truth = street()
    other = store(tmp_path / "other", lambda n: depth_of(truth), scenes=(scene,))
    with pytest.raises(InputError, match=says) as error:
        keys_of([replace(folders, truth=other)])
    assert str(other) in str(error.value)
    assert "\n" not in str(error.value)


def key(folder, scene, sample):
    return ExampleKey(Sources(folder, folder), scene, sample, "CAM_FRONT")


def test_whole_scenes_are_held_out(tmp_path):
    keys = [key(tmp_path / f, s, f"{s}{n}") for f in "ab" for s in ("s1", "s2") for n in range(3)]
    parts = split(keys, 0.2)
    assert parts.held_out == keys[-3:]
    assert parts.learned == keys[:-3]
    assert split(keys, 0.5).held_out == keys[6:]
    assert len(split(keys, 0.99).learned) == 3


def test_of_a_lone_scene_the_last_keyframes(tmp_path):
    keys = [key(tmp_path, "s1", str(n // 2)) for n in range(20)]
    parts = split(keys, 0.2)
    assert parts.held_out == keys[-4:]
    with pytest.raises(InputError, match="single keyframe"):
        split(keys[:2], 0.2)


def test_small_movers_and_people_weigh_more(tmp_path):
    depth_m = np.full((HEIGHT_PX, WIDTH_PX), 9, np.float32)
    kind, of = (np.zeros(depth_m.shape, dtype) for dtype in (np.uint8, np.uint16))
    places = {Kind.PERSON: np.s_[:2, :2], Kind.LABELLED_MOVER: np.s_[10:50, 10:90], Kind.STANDING: np.s_[60:62, :5]}
    for number, (code, place) in enumerate(places.items(), start=1):
        kind[place], of[place] = code, number
    kind[80, 0] = Kind.GROUND
    layers = {"kind": kind, "object_id": of}
    write_store(tmp_path, [(camera(size=SIZE), depth_m, layers)], scene="scene-a")
    weight = object_weight(next(iter(SceneReader(tmp_path / "scene-a.h5"))))
    assert (weight[places[Kind.PERSON]] == MOST).all()
    weight[places[Kind.PERSON]] = 1
    assert (weight == 1).all()


def test_a_middling_one_weighs_a_share_of_the_image(tmp_path):
    depth_m, side = np.full((HEIGHT_PX, WIDTH_PX), 9, np.float32), 8
    kind, of = (np.zeros(depth_m.shape, dtype) for dtype in (np.uint8, np.uint16))
    kind[:side, :side], of[:side, :side] = Kind.UNLABELLED_MOVER, 7
    write_store(tmp_path, [(camera(size=SIZE), depth_m, {"kind": kind, "object_id": of})], scene="scene-a")
    weight = object_weight(next(iter(SceneReader(tmp_path / "scene-a.h5"))))
    assert weight[0, 0] == pytest.approx(OF_IMAGE * kind.size / side**2)
    assert weight[:side, :side].sum() == pytest.approx(OF_IMAGE * kind.size)
