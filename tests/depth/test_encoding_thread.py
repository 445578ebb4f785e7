"""Jobs beside the caller: in order, few at a time, errors where they belong."""

import threading

import numpy as np
import pytest

from densegt.depth.encoding_thread import EncodingThread
from densegt.depth.layer_codec import encode_layer, encode_layers
from densegt.depth.store import SceneWriter

from .stores import camera, depth_map, world


@pytest.fixture
def encoding():
    thread = EncodingThread(ahead=2)
    yield thread
    thread.stop()


def test_results_come_in_order_and_no_more_than_so_many_are_outstanding(encoding):
    given = [list(encoding.put(k, lambda k=k: 10 * k)) for k in range(5)]
    assert given == [[], [], [(0, 0)], [(1, 10)], [(2, 20)]]
    assert list(encoding.rest()) == [(3, 30), (4, 40)]
    assert list(encoding.rest()) == []


def test_the_caller_waits_for_the_oldest(encoding):
    go, order = threading.Event(), []
    list(encoding.put("slow", lambda: go.wait(10)))
    list(encoding.put("next", lambda: order.append("next")))
    assert order == []
    threading.Timer(0.05, go.set).start()
    assert [key for key, _ in encoding.put("last", lambda: None)] == ["slow"]


def test_an_error_is_raised_when_its_turn_comes(encoding):
    list(encoding.put("bad", lambda: 1 / 0))
    list(encoding.put("good", lambda: 1))
    with pytest.raises(ZeroDivisionError):
        list(encoding.put("more", lambda: 2))
    assert list(encoding.rest()) == [("good", 1), ("more", 2)]


def test_what_has_not_begun_is_dropped(encoding):
    began, go, done = threading.Event(), threading.Event(), []

    def slow():
        began.set()
        go.wait(10)

    list(encoding.put("at work", slow))
    list(encoding.put("waits", lambda: done.append("waits")))
    began.wait(10)
    threading.Timer(0.05, go.set).start()
    encoding.stop()
    assert not done
    assert list(encoding.rest()) == []


def test_a_layer_that_cannot_be_encoded_leaves_nothing(tmp_path):
    bad = np.array([[object()] * world()[0].shape[1]] * world()[0].shape[0])

    def write():
        with SceneWriter(tmp_path, "scene-0001", {}) as writer:
            writer.write(camera(), depth_map(world()[0]), {"bad": bad})

    with pytest.raises(TypeError):
        write()
    assert not list(tmp_path.iterdir())


def test_layers_encoded_beside_are_those_encoded_one_by_one():
    layers = {"depth": np.arange(12, dtype=np.uint16).reshape(3, 4), "source": np.ones((3, 4), np.uint8)}
    encoded = encode_layers(layers)
    assert [layer.chunk for layer in encoded] == [encode_layer(layer) for layer in layers.values()]
    assert [(layer.name, layer.shape, layer.dtype) for layer in encoded] == [
        (name, layer.shape, layer.dtype) for name, layer in layers.items()
    ]
