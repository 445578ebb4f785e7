"""Checkpoints are whole under their name at any moment, and what is none is refused in one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import zipfile

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from densegt.errors import InputError  # noqa: E402
from densegt.training.checkpoint_file import WholeCheckpointIO, kept_before, load_checkpoint_file  # noqa: E402

WRITER = """
import os, signal, sys, torch
from pathlib import Path
from densegt.training.checkpoint_file import WholeCheckpointIO
path, at = Path(sys.argv[1]), int(sys.argv[2])
save = WholeCheckpointIO().save_checkpoint
save({"state": torch.full((200_000,), 1.0)}, path)
write, count = os.replace, 0
import densegt.training.checkpoint_file as module
class Cut(module._Output):
    def write(self, data):
        if len(data) > 100_000 and at == 0:
            self._file.write(data[:1000])
            os.kill(os.getpid(), signal.SIGKILL)
        return super().write(data)
module._Output = Cut
if at == 1:
    os.replace = lambda *names: os.kill(os.getpid(), signal.SIGKILL)
save({"state": torch.full((200_000,), 2.0)}, path)
"""


# Starts processes that import torch, to kill them.
@pytest.mark.slow
@pytest.mark.parametrize("at", [0, 1], ids=["in the middle of writing", "before renaming"])
def test_killed_while_it_is_written(tmp_path, at):
    path = tmp_path / "folder" / "last.ckpt"
    done = subprocess.run([sys.executable, "-c", WRITER, str(path), str(at)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (load_checkpoint_file(path)["state"] == 1).all()
    assert list(path.parent.glob(".last.ckpt.*.partial"))
    WholeCheckpointIO().save_checkpoint({"state": torch.full((9,), 3.0)}, path)
    assert (load_checkpoint_file(path)["state"] == 3).all()
    assert {p.name for p in path.parent.iterdir()} == {"last.ckpt", "last.ckpt.before"}


def test_the_one_before_is_kept(tmp_path):
    path = tmp_path / "last.ckpt"
    for value in range(3):
        WholeCheckpointIO().save_checkpoint({"value": value}, path)
    assert load_checkpoint_file(path)["value"] == 2
    assert load_checkpoint_file(kept_before(path))["value"] == 1


def test_nothing_goes_by_way_of_the_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    WholeCheckpointIO().save_checkpoint({"state": torch.zeros(1000)}, tmp_path / "last.ckpt")
    assert (tmp_path / "last.ckpt").is_file()


def test_a_full_disk_says_so_and_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "last.ckpt"
    WholeCheckpointIO().save_checkpoint({"value": 1}, path)

    def full(self, data):
        self.error = OSError(28, "No space left on device")
        raise self.error

    monkeypatch.setattr("densegt.training.checkpoint_file._Output.write", full)
    with pytest.raises(OSError, match="No space left on device"):
        WholeCheckpointIO().save_checkpoint({"state": torch.zeros(10)}, path)
    assert load_checkpoint_file(path)["value"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["last.ckpt"]


def test_a_device_that_is_full(tmp_path):
    """What the file itself says, not what torch makes of it."""
    from densegt.training import checkpoint_file

    os.symlink("/dev/full", tmp_path / "full")
    with pytest.raises(OSError, match="No space left on device"):
        checkpoint_file._write({"state": torch.zeros(100_000)}, tmp_path / "full")


class Bad:
    def __reduce__(self):
        return os.system, ("true",)


@pytest.mark.parametrize("kind", ["code", "cut off", "empty", "text", "zeros", "folder", "nothing"])
def test_what_is_no_checkpoint_is_refused_without_advice(tmp_path, kind):
    path = tmp_path / "last.ckpt"
    if kind == "code":
        torch.save({"state": Bad()}, path)
    elif kind == "cut off":
        torch.save({"state": torch.zeros(10_000)}, path)
        path.write_bytes(path.read_bytes()[:20_000])
    elif kind in ("empty", "text", "zeros"):
        path.write_bytes({"empty": b"", "text": b"nothing of the kind", "zeros": bytes(4096)}[kind])
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(InputError) as refused:
        load_checkpoint_file(path)
    said = str(refused.value)
    assert str(path) in said
    assert "\n" not in said
    for advice in ("weights_only", "trust", "safe_globals", "can still be loaded"):
        assert advice not in said


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "last.ckpt")
    refused = []

    def load():
        with pytest.raises(InputError, match="no such checkpoint"):
            load_checkpoint_file(tmp_path / "last.ckpt")
        refused.append(True)

    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    thread.join(10)
    assert refused


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_checkpoint_that_inflates(tmp_path, kind):
    torch.save({"state": torch.zeros(1 << 20)}, tmp_path / "plain.ckpt")
    assert load_checkpoint_file(tmp_path / "plain.ckpt")["state"].sum() == 0
    with zipfile.ZipFile(tmp_path / "plain.ckpt") as plain, zipfile.ZipFile(tmp_path / "bomb.ckpt", "w", kind) as bomb:
        for name in plain.namelist():
            bomb.writestr(name, plain.read(name))
    with pytest.raises(InputError, match="it is compressed"):
        load_checkpoint_file(tmp_path / "bomb.ckpt")
