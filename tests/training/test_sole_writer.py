"""Two runs do not write into one folder."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

pytest.importorskip("lightning")

from densegt.errors import InputError
from densegt.training.sole_writer import sole_writer

HOLDER = """
import sys, time
from pathlib import Path
from densegt.training.sole_writer import sole_writer
with sole_writer(Path(sys.argv[1]), "training"):
    print("in", flush=True)
    time.sleep(100)
"""


# Starts processes that import torch, to kill them.
@pytest.mark.slow
def test_the_second_is_refused_until_the_first_is_dead(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "in\n"
        with pytest.raises(InputError, match="another training is at it"), sole_writer(tmp_path, "training"):
            pytest.fail("both are in")
        with sole_writer(tmp_path, "prediction"):
            pass
        first.send_signal(signal.SIGKILL)
    with sole_writer(tmp_path, "training"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_further_processes_of_one_run_are_let_in(tmp_path, monkeypatch):
    from lightning.fabric.utilities.rank_zero import rank_zero_only

    with sole_writer(tmp_path, "training"):
        monkeypatch.setattr(rank_zero_only, "rank", 1)
        with sole_writer(tmp_path, "training"):
            pass


def test_a_folder_that_nothing_came_of_is_not_left(tmp_path):
    with pytest.raises(KeyError), sole_writer(tmp_path / "out", "training"):
        raise KeyError
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written to"), sole_writer(tmp_path / "file" / "out", "training"):
        pass


@pytest.mark.parametrize("name", ["checkpoints", "depth", "pictures/a.png", "tensorboard/hparams.yaml", "depth/deep"])
@pytest.mark.parametrize("to", ["../elsewhere", "../../elsewhere", "/tmp"])
def test_links_that_lead_out_are_refused(tmp_path, name, to):
    link = tmp_path / "out" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(to if to.startswith("/") else tmp_path / "out" / to)
    with pytest.raises(InputError, match="a link that leads out of"), sole_writer(tmp_path / "out", "training"):
        pytest.fail("it was let in")


def test_links_within_the_folder_and_the_folder_itself_may_be_links(tmp_path):
    (tmp_path / "there" / "checkpoints").mkdir(parents=True)
    (tmp_path / "there" / "checkpoints" / "best.ckpt").touch()
    (tmp_path / "there" / "checkpoints" / "last.ckpt").symlink_to("best.ckpt")
    (tmp_path / "out").symlink_to(tmp_path / "there")
    with sole_writer(tmp_path / "out", "training"):
        pass
