"""Found tracks on disk, as nuScenes' own tools take them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.motion.discovery.track_file import write_tracks
from densegt.accumulation.pipeline import build_cloud
from tests.accumulation.worlds import MAP_ORIGIN, START_US, World

WORLD = World(box_velocity=np.array([6.0, 0.0, 0.0]), labelled=False)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tracks") / "world.json"
    cloud = build_cloud(WORLD.scene(), AccumulateConfig(motion="free"))
    stamps = {f"sample-{i}": START_US + i * 500_000 for i in range(4)} | {"before": START_US - 2_000_000}
    write_tracks(path, "world", stamps, cloud.movers, period_s=0.05, start_us=cloud.start_us)
    return path


def test_each_keyframe_has_the_box_where_it_is(written: Path) -> None:
    results = json.loads(written.read_text())["results"]
    assert results["before"] == []
    for i in (1, 2):
        (row,) = results[f"sample-{i}"]
        middle = np.array(row["translation"]) - MAP_ORIGIN - WORLD.box(0.5 * i)
        assert abs(middle[1]) < 0.3
        np.testing.assert_allclose(row["velocity"], [6.0, 0.0], atol=0.2)
        width, _, _ = row["size"]
        assert width == pytest.approx(2.0, abs=0.25)
        assert row["num_pts"] > 20
        assert row["tracking_id"] == "world-found-0000"
    assert [p.name for p in written.parent.iterdir()] == ["world.json"]


def test_the_devkit_loads_it(written: Path) -> None:
    loaders = pytest.importorskip("nuscenes.eval.common.loaders")
    from nuscenes.eval.common.config import config_factory
    from nuscenes.eval.tracking.data_classes import TrackingBox

    config_factory("tracking_nips_2019")  # tells TrackingBox the names it may have
    boxes, meta = loaders.load_prediction(str(written), 500, TrackingBox)
    assert meta["use_lidar"]
    assert sum(len(boxes[token]) for token in boxes.sample_tokens) >= 2
