"""The wheel holds all that densegt needs, and works where the checkout is not."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from densegt.cli.main import COMMANDS
from packaging.version import Version

# Builds a wheel and installs it, and starts each command from there.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built as a release is, but by the setuptools that is here, if it is new enough."""
    try:
        here = Version(version("setuptools")) >= Version("77")
    except PackageNotFoundError:
        here = False
    folder = tmp_path_factory.mktemp("wheel")
    # From a copy: a build leaves folders behind in the place it is made from.
    source = folder / "source"
    for name in ("densegt", "cli", "configs"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    how = ["--no-build-isolation"] if here else []
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", *how, "-w", folder, source]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode and not here:
        pytest.skip(f"no setuptools 77 here, and none could be had: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A new environment with the wheel; the packages it needs are lent from here, this checkout is not."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    site = Path(
        subprocess.check_output([python, "-c", "import site; print(site.getsitepackages()[0])"], text=True).strip()
    )
    # Path files in a folder that is itself named in one are not read, so an editable densegt stays behind.
    (site / "lent.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "bin"


def test_it_holds_the_data_files_types_and_licence(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("densegt/py.typed", "densegt/configs/kitti.yaml", "densegt/view/page.js", "densegt/view/three.min.js"):
        assert name in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "docs/", "cli/"))]


def test_it_works_from_a_folder_of_its_own(installed, whole_line, tmp_path):
    code = "import densegt; print(densegt.__file__)"
    where = subprocess.check_output([installed / "python", "-c", code], text=True, cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(installed.parent)
    for name in ("world", "depth", "completed"):
        (tmp_path / name).symlink_to(whole_line / name)
    # What compiles nothing: in a new place every kernel would be compiled anew, which takes minutes.
    for line in (
        "--version",
        "check --dataroot world",
        "export --depth depth --format npz --out arrays",
        "report --depth completed --dataroot world --out report.html",
        "view --depth completed --dataroot world --out view.html --camera CAM_FRONT --no-cloud",
    ):
        done = subprocess.run([installed / "densegt", *line.split()], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
    assert (tmp_path / "view.html").stat().st_size > 500_000


def test_every_command_is_in_it(installed, tmp_path):
    code = (
        "from densegt.cli.main import COMMANDS, group\n"
        "for name in COMMANDS: group.main([name, '--help'], prog_name='densegt', standalone_mode=False)"
    )
    done = subprocess.run([installed / "python", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^Usage: densegt (\S+)", done.stdout, re.MULTILINE) == list(COMMANDS)
