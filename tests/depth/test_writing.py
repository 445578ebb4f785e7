"""Files beside a store: whole or not there, never outside the folder, and one line where nothing can be written."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from densegt.cli.main import COMMANDS, main

from densegt.batch.scene_lock import scene_lock
from densegt.depth.export import FORMATS, export_store
from densegt.depth.partial_file import check_writable, write_whole
from densegt.depth.store import SceneReader
from densegt.errors import InputError

from ..cases import mostly
from .stores import camera, densegt, world, write_store

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow


def images(metres=0.0, channel="CAM_FRONT"):
    return [
        (camera(sample=f"s{k}", channel=channel, timestamp_us=k), world()[0] + np.float32(metres), None)
        for k in range(3)
    ]


@pytest.fixture
def store(tmp_path):
    """A store, and below `tmp_path` the images that it is of."""
    made = write_store(tmp_path / "depth", images())
    for cam, _, _ in images():
        path = tmp_path / cam.filename
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".jpg", np.zeros((cam.height_px, cam.width_px, 3), np.uint8))[1].tobytes())
    # Kernels that read are compiled where files may be large: on a full disk that cannot be kept.
    SceneReader(made / "scene-0001.h5").read("s0", "CAM_FRONT")
    return made


def files_in(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


# --- full disk ---

COMMAND = """
import resource, sys
from densegt.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
main()
"""


def on_a_full_disk(limit, *words):
    """The command in a process that can write files of so many bytes."""
    command = [sys.executable, "-c", COMMAND, str(limit), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(("form", "limit"), [("npz", 0), ("npz", 200), ("kitti-png", 50), ("bevdepth-bin", 200)])
def test_export_to_a_full_disk(tmp_path, store, form, limit):
    done = on_a_full_disk(limit, "export", "--depth", store, "--format", form, "--out", tmp_path / "out")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"densegt: {tmp_path / 'out'}")
    assert line.endswith(": File too large")
    assert not files_in(tmp_path / "out")


@pytest.mark.parametrize("command", ["report", "view"])
def test_a_page_on_a_full_disk(tmp_path, store, command):
    words = ["--depth", store, "--dataroot", tmp_path, "--out", tmp_path / "pages" / "page.html"]
    done = on_a_full_disk(1000, command, *words, *(["--no-cloud"] if command == "view" else []))
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-1] == f"densegt: {tmp_path / 'pages' / 'page.html'}: File too large"
    assert "Traceback" not in done.stderr
    assert not files_in(tmp_path / "pages")


SIMULATE = ["simulate", "--street", "simple", "--seconds", 0.5, "--image-size", "64x36"]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A recording; kernels are compiled for it, where files may be large."""
    out = tmp_path_factory.mktemp("simulated") / "world"
    assert densegt(*SIMULATE, "--scenes", 1, "--out", out).exit_code == 0
    return out


@pytest.mark.parametrize(("limit", "workers"), mostly([(0, 1), (5_000, 2), (5_000, 1), (30_000, 1)], keep=2))
def test_simulate_on_a_full_disk(tmp_path, simulated, limit, workers):
    done = on_a_full_disk(limit, *SIMULATE, "--scenes", 2, "--workers", workers, "--out", tmp_path / "world")
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-1].endswith(": File too large")
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


# --- nothing can be written there ---


def commands(store, root, out):
    """Every command that writes, with so little input that it ends at once where it does not look at --out first."""
    there = ["--depth", store, "--dataroot", root]
    return {
        "accumulate": ["--dataroot", root, "--out", out],
        "autolabel": ["--dataroot", root, "--out", out],
        "compare": [store, store, "--out", out / "page.html"],
        "complete": [*there, "--out", out],
        "demo": ["--out", out],
        "evaluate": ["--pred", store, "--truth", store, "--json", out / "figures.json"],
        "export": ["--depth", store, "--format", "npz", "--out", out],
        "occupancy": ["--dataroot", root, "--out", out],
        "predict": ["--checkpoint", store / "scene-0001.h5", "--dataroot", root, "--out", out],
        "predict-motion": ["--checkpoint", store / "scene-0001.h5", "--dataroot", root, "--out", out],
        "quantise": ["--checkpoint", store / "scene-0001.h5", "--dataroot", root, "--out", out / "some.onnx"],
        "report": [*there, "--out", out / "page.html"],
        "simulate": [*SIMULATE[1:], "--scenes", 1, "--out", out],
        "train-completion": [*there, "--out", out],
        "train-lss": [*there, "--out", out],
        "train-motion": ["--dataroot", root, "--out", out],
        "train-mono": [*there, "--out", out],
        "train-pl": [*there, "--out", out],
        "view": [*there, "--no-cloud", "--out", out / "page.html"],
    }


def test_every_command_that_writes_is_known(tmp_path):
    assert set(commands(tmp_path, tmp_path, tmp_path)) == set(COMMANDS) - {"check", "doctor"}


def main_says(monkeypatch, capsys, name, *words):
    """Exit code and last line on stderr of the whole command."""
    monkeypatch.setattr(sys, "argv", ["densegt", name, *map(str, words)])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code, capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"check", "doctor"}))
@pytest.mark.parametrize("where", ["below a file", "in /proc", "read-only folder", "read-only parent"])
def test_one_line_where_nothing_can_be_written(tmp_path, store, simulated, name, where, monkeypatch, capsys):
    (tmp_path / "file").touch()
    closed = tmp_path / "closed"
    (closed / "out").mkdir(parents=True)
    if where.startswith("read-only"):
        closed_folder = closed / "out" if where == "read-only folder" else closed
        make = os.open

        def no_open(path, flags, *more, **most):
            there = Path(os.fsdecode(path))
            if flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR) and closed_folder in (there, *there.parents):
                raise OSError(errno.EROFS, "Read-only file system", str(path))
            return make(path, flags, *more, **most)

        # Whoever runs the tests may be allowed to write everywhere.
        monkeypatch.setattr(os, "open", no_open)
    out = {"below a file": tmp_path / "file" / "out", "in /proc": Path("/proc/none/out")}.get(where, closed / "out")
    if where == "read-only parent":
        out.rmdir()
    root = simulated if name in ("accumulate", "autolabel", "occupancy") else tmp_path
    code, line = main_says(monkeypatch, capsys, name, *commands(store, root, out)[name])
    assert code == 2, line
    assert line.startswith(f"densegt: {out}")


@pytest.mark.parametrize("there", ["", "new", "new/deeper"])
def test_a_folder_that_can_be_made(tmp_path, there):
    check_writable(tmp_path / there / "file")
    assert not list(tmp_path.iterdir())


# --- links ---


@pytest.mark.parametrize("place", ["scene-0001", "scene-0001/CAM_FRONT"])
@pytest.mark.parametrize("existing", ["error", "overwrite", "keep"])
def test_an_export_does_not_follow_a_planted_folder(tmp_path, store, place, existing):
    out, outside = tmp_path / "out", tmp_path / "outside"
    outside.mkdir()
    (out / place).parent.mkdir(parents=True)
    (out / place).symlink_to(outside)
    with pytest.raises(InputError, match="a link that leads out of"):
        export_store(store, out, "npz", existing=existing)
    assert not list(outside.iterdir())


def test_an_export_replaces_a_planted_file(tmp_path, store):
    out, victim = tmp_path / "out", tmp_path / "victim"
    victim.write_text("mine")
    export_store(store, out, "npz")
    for path in files_in(out):
        path.unlink()
        path.symlink_to(victim)
    assert export_store(store, out, "npz", existing="keep") == (3, 0)
    assert victim.read_text() == "mine"
    assert not any(path.is_symlink() for path in files_in(out))


def test_an_output_folder_may_be_a_link_itself(tmp_path, store):
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    assert export_store(store, tmp_path / "out", "npz") == (3, 0)


@pytest.mark.parametrize("target", ["victim", "nowhere"])
def test_a_lock_is_no_link(tmp_path, target):
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / ".scene-0001.lock").symlink_to(tmp_path / target)
    with pytest.raises(InputError, match="a link in place of a lock"), scene_lock(tmp_path / "store", "scene-0001"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store", "victim"]


@pytest.mark.parametrize("name", ["run-summary.jsonl", "scene-0001.h5"])
def test_a_run_does_not_write_through_a_link(tmp_path, store, name):
    victim, out = tmp_path / "victim", tmp_path / "completed"
    victim.write_text("mine")
    out.mkdir()
    (out / name).symlink_to(victim)
    densegt("complete", "--depth", store, "--dataroot", tmp_path, "--out", out, "--overwrite")
    assert victim.read_text() == "mine"


def test_a_whole_file_replaces_a_link(tmp_path):
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "page.html").symlink_to(tmp_path / "victim")
    write_whole(tmp_path / "page.html", b"page")
    assert ((tmp_path / "victim").read_text(), (tmp_path / "page.html").read_text()) == ("mine", "page")
    assert not (tmp_path / "page.html").is_symlink()


# --- resume ---


def contents(out):
    return {path: path.read_bytes() for path in files_in(out)}


@pytest.mark.parametrize("form", FORMATS)
def test_resume_keeps_what_is_sound(tmp_path, store, form):
    export_store(store, tmp_path / "out", form)
    files_in(tmp_path / "out")[1].unlink()
    assert export_store(store, tmp_path / "out", form, existing="keep") == (1, 2)


@pytest.mark.parametrize("how", ["rename", "copy that keeps its time", "write"])
def test_resume_makes_stale_files_again(tmp_path, store, how):
    other = write_store(tmp_path / "other", images(metres=1.0)) / "scene-0001.h5"
    export_store(store, tmp_path / "out", "npz")
    export_store(tmp_path / "other", tmp_path / "wanted", "npz")
    time.sleep(0.02)
    if how == "rename":
        os.replace(other, store / "scene-0001.h5")
    elif how == "write":
        (store / "scene-0001.h5").write_bytes(other.read_bytes())
    else:
        found = (store / "scene-0001.h5").stat()
        (store / "scene-0001.h5").write_bytes(other.read_bytes())
        os.utime(store / "scene-0001.h5", ns=(found.st_atime_ns, found.st_mtime_ns))
    assert export_store(store, tmp_path / "out", "npz", existing="keep") == (3, 0)
    assert list(contents(tmp_path / "out").values()) == list(contents(tmp_path / "wanted").values())


@pytest.mark.parametrize("damage", ["empty", "folder"])
def test_resume_makes_what_is_no_file_again(tmp_path, store, damage):
    export_store(store, tmp_path / "out", "npz")
    path = files_in(tmp_path / "out")[0]
    before = path.read_bytes()
    path.write_bytes(b"")
    if damage == "folder":
        path.unlink()
        path.mkdir()
        with pytest.raises(OSError, match="directory"):
            export_store(store, tmp_path / "out", "npz", existing="keep")
        return
    assert export_store(store, tmp_path / "out", "npz", existing="keep") == (1, 2)
    assert path.read_bytes() == before


# --- a store that is being written ---


@pytest.mark.parametrize("empty", [False, True])
def test_export_says_that_a_scene_is_being_written(tmp_path, store, empty):
    if empty:
        (store / "scene-0001.h5").unlink()
    with scene_lock(store, "scene-0002"):
        done = densegt("export", "--depth", store, "--format", "npz", "--out", tmp_path / "out")
    said = done.output + str(done.exception or "")
    assert "scene-0002" in said
    assert "is being written" in said
    assert (done.exit_code != 0) == empty


@pytest.mark.parametrize("left", ["lock", "partial file"])
def test_what_a_killed_run_left_is_no_writing(tmp_path, store, left):
    name = ".scene-0002.lock" if left == "lock" else ".scene-0002.h5.0123456789abcdef.partial"
    (store / name).touch()
    done = densegt("export", "--depth", store, "--format", "npz", "--out", tmp_path / "out")
    assert "being written" not in done.output
    assert (store / name).exists()
