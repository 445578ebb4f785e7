"""A real Ray cluster of several nodes on this machine, one of which is killed in mid-run."""

import os
import random
import sys
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from densegt.batch.executor import Failed, Ray, Serial
from densegt.errors import InputError

from ...depth.stores import camera, write_store
from ...depth.stores import world as small_world

pytestmark = pytest.mark.usefixtures("one_ray_at_a_time")


def test_without_ray_there_is_one_clear_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"pip install .*\[ray\]"):
        list(Ray().run(lambda item, report: item, [1]))


@pytest.mark.parametrize("address", [None, "127.0.0.1:1", "somewhere"])
def test_no_cluster_is_one_clear_line(monkeypatch, tmp_path, address):
    pytest.importorskip("ray")
    # Where no other test has left the address of its cluster.
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(InputError, match="no Ray cluster") as caught:
        list(Ray(address).run(lambda item, report: item, [1]))
    assert "\n" not in str(caught.value)
    assert "--ray-address" in str(caught.value)


def test_a_cluster_that_is_gone_is_not_waited_for(monkeypatch, tmp_path):
    pytest.importorskip("ray")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:1")
    with pytest.raises(InputError, match=r"no Ray cluster here .*refused"):
        list(Ray().run(lambda item, report: item, [1]))


@pytest.fixture(scope="module")
def cluster(one_ray_at_a_time):
    """A head that works on nothing, and two nodes of one core each."""
    pytest.importorskip("ray")
    here = str(Path(__file__).parent)
    with pytest.MonkeyPatch.context() as patch:
        # Nodes take their path from here; what is worked on in a run of densegt is installed on each.
        patch.setenv("PYTHONPATH", os.pathsep.join([here, os.environ.get("PYTHONPATH", "")]).strip(os.pathsep))
        cluster = _started()
    yield cluster
    cluster.shutdown()


def _started():
    from ray.cluster_utils import Cluster

    room = {"object_store_memory": 80 * 2**20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **room})
    for _ in range(2):
        cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
    cluster.wait_for_nodes()
    return cluster


@pytest.fixture
def works(monkeypatch):
    """The module of works, for the nodes too."""
    folder = str(Path(__file__).parent)
    monkeypatch.syspath_prepend(folder)
    import works

    return works


# A Ray cluster of several nodes has to come up.
@pytest.mark.slow
def test_what_fails_is_told_and_the_others_go_on(cluster, works):
    heard = {}
    results = dict(Ray(cluster.address).run(works.double, range(4), heard.__setitem__))
    assert results == {n: 2 * n for n in range(4)}
    assert set(heard.items()) <= {(n, f"doubling {n}") for n in range(4)}
    results = dict(Ray(cluster.address, at_once=1).run(partial(works.fail_at, "bug"), range(3)))
    failed = results.pop(1)
    assert results == {0: 0, 2: 2}
    assert isinstance(failed, Failed)
    assert failed.why == "ZeroDivisionError: two lines"


# A Ray cluster of several nodes has to come up.
@pytest.mark.slow
def test_an_item_that_kills_its_process_is_rays_to_retry(cluster, works, tmp_path):
    results = dict(Ray(cluster.address).run(partial(works.die_at, "kill", False, str(tmp_path)), range(3)))
    assert results == {0: 0, 1: 1, 2: 2}
    results = dict(Ray(cluster.address).run(partial(works.die_at, "kill", True, str(tmp_path)), range(3)))
    failed = results.pop(1)
    assert results == {0: 0, 2: 2}
    assert "Ray gave it up" in failed.why


# A Ray cluster of several nodes has to come up.
@pytest.mark.slow
def test_completion_on_ray_is_that_done_here(cluster, tmp_path):
    """Byte for byte; a scene whose image is gone fails alone."""
    from densegt.batch.run import run_scenes
    from densegt.completion.job import CompletionJob

    depth_m, _ = small_world()
    names = ["scene-a", "scene-b", "scene-c"]
    for name in names:
        cam = camera(sample=name)
        write_store(tmp_path / "depth", [(cam, np.where(np.arange(64) % 3, 0, depth_m), None)], scene=name)
        image = tmp_path / "data" / cam.filename
        image.parent.mkdir(parents=True, exist_ok=True)
        if name != "scene-b":
            cv2.imwrite(str(image), np.full((36, 64, 3), 90, np.uint8))
    results = {}
    for out, executor in (("ray", Ray(cluster.address)), ("here", Serial())):
        job = CompletionJob(tmp_path / "data", tmp_path / "depth", tmp_path / out)
        results[out] = run_scenes(job, names, executor=executor)
        assert [done.status for done in results[out]] == ["done", "failed", "done"]
    assert "no such image" in (results["ray"][1].error or "")
    for name in ("scene-a", "scene-c"):
        one, other = (tmp_path / out / f"{name}.h5" for out in results)
        assert one.read_bytes() == other.read_bytes()


# A Ray cluster of several nodes has to come up.
@pytest.mark.slow
def test_a_node_killed_in_mid_run(cluster, tmp_path):
    """The files are complete, and byte for byte those of a run that nothing disturbed."""
    from densegt.accumulation.config import AccumulateConfig
    from densegt.accumulation.job import AccumulateJob
    from densegt.batch.run import run_scenes
    from densegt.datasets import RecordingPath
    from densegt.simulate.config import SimulateConfig
    from densegt.simulate.run import simulate

    world = tmp_path / "world"
    simulate(SimulateConfig(scenes=4, seconds=0.5, width_px=96, height_px=54, seed=3), world, workers=1)
    names = [f"scene-{n:04}" for n in range(1, 5)]
    config = AccumulateConfig()
    (killed,) = random.Random(1).sample(sorted(cluster.worker_nodes, key=lambda node: node.node_id), 1)
    left_then = []

    def kill(run):
        if run.steps_done and not left_then:
            left_then.append(run.scenes - run.scenes_done)
            cluster.remove_node(killed, allow_graceful=False)

    results = run_scenes(
        AccumulateJob(RecordingPath(world), tmp_path / "ray", config),
        names,
        executor=Ray(cluster.address),
        progress=kill,
    )
    assert [done.error for done in results] == [None] * 4
    assert left_then[0] >= 2, "the run was nearly over"
    run_scenes(AccumulateJob(RecordingPath(world), tmp_path / "here", config), names)
    made, expected = (
        {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}
        for out in (tmp_path / "ray", tmp_path / "here")
    )
    assert made == expected
    assert {Path(f"{name}.h5") for name in names} <= set(made)
