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
