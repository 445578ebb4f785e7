"""Threads within a scene: results in order, the same for any number, errors and ends as with one."""

from __future__ import annotations

import threading
import time
from dataclasses import fields, replace

import numpy as np
import pytest

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.ordered_threads import ordered_map
from densegt.accumulation.pipeline import accumulate_scene, build_cloud
from densegt.accumulation.surfels import Surfels
from densegt.depth.depth_map import DepthMap

from .worlds import World


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_results_are_in_the_order_of_items(threads: int) -> None:
    def work(item: int) -> int:
        time.sleep(0.002 * (5 - item % 5))
        return 2 * item

    assert list(ordered_map(work, range(20), threads)) == list(range(0, 40, 2))
    assert list(ordered_map(work, [], threads)) == []


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_comes_when_it_is_its_turn(threads: int) -> None:
    results = ordered_map(lambda item: 6 // item, [3, 2, 0, 1], threads)
    assert [next(results), next(results)] == [2, 3]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_items_are_taken_few_at_a_time_and_by_the_caller_alone() -> None:
    taken: list[str] = []

    def items():
        for item in range(50):
            taken.append(threading.current_thread().name)
            yield item

    results = ordered_map(lambda item: item, items(), 3)
    next(results)
    assert len(taken) == 4
    results.close()
    assert set(taken) == {threading.current_thread().name}


def test_when_it_is_closed_no_thread_is_left() -> None:
    done: list[int] = []
    results = ordered_map(lambda item: time.sleep(0.02) or done.append(item), range(50), 2)
    next(results)
    results.close()
    ended = len(done)
    assert ended < 10
    time.sleep(0.05)
    assert len(done) == ended
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("scene")]


def test_clouds_and_depth_are_the_same_for_any_number_of_threads() -> None:
    scene, config = World().scene(), AccumulateConfig()
    one, three = (build_cloud(scene, config, threads=threads) for threads in (1, 3))
    for name in (field.name for field in fields(Surfels)):
        np.testing.assert_array_equal(getattr(one.static, name), getattr(three.static, name))
    np.testing.assert_array_equal(one.images.ranges_m, three.images.ranges_m)
    scene = replace(scene, cameras=scene.cameras * 4)
    ticks: list[int] = []
    alone = list(accumulate_scene(scene, config))
    together = list(accumulate_scene(scene, config, threads=3, progress=lambda: ticks.append(1)))
    assert len(ticks) == len(scene.sweeps) + len(scene.cameras)
    for (camera, depth), (same, other) in zip(alone, together, strict=True):
        assert camera.channel == same.channel
        for name in (field.name for field in fields(DepthMap)):
            np.testing.assert_array_equal(getattr(depth, name), getattr(other, name))
