"""Weights in files: what is written is read again, and what is no such file is refused in a line."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from densegt.completion.checkpoint import FORMAT, read_network, write_weights  # noqa: E402
from densegt.completion.features import CHANNELS  # noqa: E402
from densegt.completion.infer import Network  # noqa: E402
from densegt.completion.model import CompletionNet, Shape  # noqa: E402
from densegt.completion.registry import open_method  # noqa: E402
from densegt.completion.weights import SHIPPED  # noqa: E402
from densegt.errors import InputError  # noqa: E402

from .scenes import given, scan_lines, street  # noqa: E402

SMALL = Shape(widths=(8, 12), blocks=(0, 1))


@pytest.fixture
def net():
    torch.manual_seed(0)
    net = CompletionNet(SMALL)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return net


def test_round_trip(net, tmp_path):
    path = tmp_path / "net.safetensors"
    write_weights(net, path, {"command": "densegt train-completion"})
    image, truth = street()
    sparse = given(image, scan_lines(truth))
    one, other = Network(net)(sparse), open_method("network", path)(sparse)
    np.testing.assert_array_equal(one.depth_m, other.depth_m)
    np.testing.assert_array_equal(one.uncertainty_m, other.uncertainty_m)
    about = json.loads(path.with_suffix(".json").read_text())
    assert about["command"] == "densegt train-completion"
    assert about["widths"] == [8, 12]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net.json", "net.safetensors"]


def test_what_is_no_checkpoint_is_refused(net, tmp_path):
    whole = tmp_path / "net.safetensors"
    write_weights(net, whole, {})
    files = {
        "none.safetensors": None, "text.safetensors": b"hello", "cut.safetensors": whole.read_bytes()[:-100],
        "empty.ckpt": b"", "text.ckpt": b"hello",
    }  # fmt: skip
    for name, content in files.items():
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError) as error:
            read_network(path)
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)


def test_weights_of_something_else_are_refused(net, tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(3)}, tmp_path / "other.safetensors")
    torch.save({"a": 1}, tmp_path / "other.ckpt")
    for name in ("other.safetensors", "other.ckpt"):
        with pytest.raises(InputError, match=r"not of a completion network|neither"):
            read_network(tmp_path / name)
    with torch.no_grad():
        net.stem.weight[0, 0, 0, 0] = float("nan")
    write_weights(net, tmp_path / "astray.safetensors", {})
    with pytest.raises(InputError, match="not finite"):
        read_network(tmp_path / "astray.safetensors")


def test_the_network_that_ships():
    """It is there, small, says how it was made, and beats the classical method where that is not too hard."""
    assert SHIPPED.stat().st_size < 8e6
    about = json.loads(SHIPPED.with_suffix(".json").read_text())
    assert about["command"].startswith("densegt train-completion")
    assert {"densegt_version", "date", "config", "data", "validation"} <= about.keys()
    seeds = [data["simulated"]["seed"] for data in about["data"]]
    assert not set(seeds) & set(range(901, 913)), "kept for the final figures"
    read_network(SHIPPED)


@pytest.mark.parametrize("shape", [{"widths": [1 << 14] * 4}, {"widths": [1 << 20] * 4}, {"blocks": [1, 1, 1, 10**9]}])
def test_a_small_file_that_names_a_large_network(net, tmp_path, shape):
    from safetensors.torch import save_file

    about = {"format": FORMAT.name, "format_version": FORMAT.version, "channels": CHANNELS}
    about |= {"widths": [8] * 4, "blocks": [1] * 4, **shape}
    save_file(net.state_dict(), tmp_path / "large.safetensors", {"about": json.dumps(about)})
    with pytest.raises(InputError, match="do not fit the network"):
        read_network(tmp_path / "large.safetensors")
