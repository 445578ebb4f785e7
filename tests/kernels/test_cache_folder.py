"""Where compiled kernels go when nothing usual can be written to."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from densegt.errors import InputError
from densegt.kernels import cache_folder
from densegt.kernels.cache_folder import VARIABLE, is_own, settle_cache_folder, temporary_folder


@pytest.fixture
def nothing_usual(monkeypatch, tmp_path):
    """No folder of the usual ones can be written to; the temporary folder is an empty one."""
    (tmp_path / "file").touch()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(cache_folder, "usual_folders", lambda: [tmp_path / "file", Path("/proc/none/numba")])
    monkeypatch.setattr(cache_folder.tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    return tmp_path / "tmp"


def test_a_temporary_folder_of_ones_own(nothing_usual):
    folder = settle_cache_folder()
    assert folder.parent == nothing_usual
    assert os.environ[VARIABLE] == str(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_same_one_again(nothing_usual):
    assert temporary_folder() == temporary_folder()


def test_a_folder_that_others_could_write_to_is_not_used(nothing_usual):
    usual = temporary_folder()
    usual.chmod(0o777)
    assert not is_own(usual)
    assert temporary_folder() != usual


def test_a_link_that_others_planted_is_not_used(nothing_usual, tmp_path):
    usual = temporary_folder()
    usual.rmdir()
    (tmp_path / "theirs").mkdir()
    usual.symlink_to(tmp_path / "theirs")
    assert temporary_folder() != usual
    assert not list((tmp_path / "theirs").iterdir())


def test_what_the_user_set_stays(nothing_usual, monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine"))
    assert settle_cache_folder() == tmp_path / "mine"
    assert not list(nothing_usual.iterdir())


def test_the_first_usual_one_that_can_be_written_to(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.setattr(cache_folder, "usual_folders", lambda: [Path("/proc/none"), tmp_path / "cache" / "numba"])
    assert settle_cache_folder() == tmp_path / "cache" / "numba"
    assert not os.environ[VARIABLE]


def test_nowhere_at_all(nothing_usual, monkeypatch):
    monkeypatch.setattr(cache_folder.tempfile, "tempdir", "/proc/none")
    with pytest.raises(InputError, match=f"set {VARIABLE}"):
        settle_cache_folder()


CODE = """
import sys
from pathlib import Path
from densegt.kernels import cache_folder
import os
os.environ.pop(cache_folder.VARIABLE, None)
cache_folder.usual_folders = lambda: [Path("/proc/none")]
cache_folder.settle_cache_folder()
import numba
from densegt.doctor import kernel_cache
print(kernel_cache())
"""


def test_doctor_says_so(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert str(tmp_path) in done.stdout
    assert "broken=False" in done.stdout
    assert f"{VARIABLE} sets a lasting one" in done.stdout
