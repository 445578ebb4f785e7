"""What is installed, which parts are ready, and what this machine has."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import densegt
from densegt.errors import InputError
from densegt.install_hint import install_command
from densegt.kernels.cache_folder import VARIABLE, is_writable, settle_cache_folder, usual_folders

if TYPE_CHECKING:
    from packaging.requirements import Requirement

# Where a package is imported under another name.
_MODULES = {
    "mkdocs-click": "mkdocs_click",
    "mkdocs-material": "material",
    "nuscenes-devkit": "nuscenes",
    "opencv-python-headless": "cv2",
    "pyyaml": "yaml",
    "rerun-sdk": "rerun",
}
_PARTS = ("train", "deploy", "foundation", "cloud", "devkit", "ray", "recordings", "rerun", "notebooks", "docs")
_APT = "apt-get install libusb-1.0-0 libegl1 libgl1 libx11-6 libudev1 libidn2-0 libgomp1"
_IMPORT_TIMEOUT_S = 120


@dataclass(frozen=True)
class Line:
    """One line of the doctor's table; `broken` where densegt cannot work without a remedy."""

    name: str
    state: str
    broken: bool = False


def examine() -> Iterator[Line]:
    """Everything, in the order it is shown."""
    yield Line("python", f"{platform.python_version()} ({sys.executable})")
    yield Line("densegt", f"{densegt.__version__} ({Path(densegt.__file__).parent})")
    wanted = _requirements()
    for requirement in wanted.get("", []):
        yield core_package(requirement)
    for part in _PARTS:
        for requirement in wanted.get(part, []):
            yield optional_package(part, requirement)
    yield kernel_cache()
    yield Line("gpu", gpu())
    yield from machine()


def _requirements() -> dict[str, list[Requirement]]:
    """What the installed densegt asks for, by extra ("" for the core), as its own metadata has it."""
    from packaging.requirements import Requirement

    found: dict[str, list[Requirement]] = {}
    for text in metadata.requires("densegt") or []:
        requirement = Requirement(text)
        for extra in ("", *_PARTS):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                found.setdefault(extra, []).append(requirement)
                break
    return found


def core_package(requirement: Requirement) -> Line:
    """A package that densegt cannot do without: there, of a version that fits, and importable."""
    name = requirement.name
    version = installed_version(name)
    if version is None:
        return Line(name, f'missing: pip install "{requirement.name}{requirement.specifier}"', broken=True)
    if version not in requirement.specifier:
        what = f'{version}, but densegt wants {requirement.specifier}: pip install "{name}{requirement.specifier}"'
        return Line(name, what, broken=True)
    try:
        importlib.import_module(_MODULES.get(name.lower(), name.lower()))
    except Exception as error:  # a broken package may raise anything
        return Line(name, f"{version}, does not import: {_last_line(str(error))}", broken=True)
    return Line(name, version)


def optional_package(part: str, requirement: Requirement) -> Line:
    """A package of an extra. It is imported in a process of its own: some are slow, and a crash stays there."""
    version = installed_version(requirement.name)
    label = f"{requirement.name} [{part}]"
    if version is None:
        return Line(label, f"missing: {install_command(part)}")
    trouble = import_trouble(_MODULES.get(requirement.name, requirement.name))
    if trouble is None:
        return Line(label, f"{version}, ready")
    remedy = f"; try: {_APT}" if requirement.name == "open3d" and ".so" in trouble else ""
    return Line(label, f"{version}, does not import: {trouble}{remedy}")


def installed_version(name: str) -> str | None:
    """Version of an installed package, None where it is missing."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def import_trouble(module: str) -> str | None:
    """What goes wrong when a module is imported in a new process, None where nothing does."""
    return _trouble(_python(f"import {module}"))


def kernel_cache() -> Line:
    """Where compiled kernels are kept."""
    name = "kernel cache"
    try:
        folder = settle_cache_folder()
    except InputError as error:
        return Line(name, str(error), broken=True)
    if not is_writable(folder):
        return Line(name, f"{folder}, which cannot be written to: set {VARIABLE} to a folder that can", broken=True)
    if folder in usual_folders() or not folder.is_relative_to(tempfile.gettempdir()):
        return Line(name, str(folder))
    return Line(name, f"{folder}, as densegt's folder and the home cannot be written to; {VARIABLE} sets a lasting one")


def gpu() -> str:
    """What torch says about a GPU."""
    if installed_version("torch") is None:
        return "not looked for: torch is missing"
    done = _python(
        "import torch\n"
        "print(torch.cuda.get_device_name() if torch.cuda.is_available() else 'none; torch will work on the CPU')"
    )
    return _trouble(done) or _last_line(done.stdout if done else "")


def machine() -> Iterator[Line]:
    """Cores, memory and disk."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Line("cores", str(cores))
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        yield Line("memory", f"{memory / 2**30:.1f} GiB")
    here = Path.cwd()
    yield Line("disk", f"{shutil.disk_usage(here).free / 2**30:.1f} GiB free in {here}")


def _python(code: str) -> subprocess.CompletedProcess[str] | None:
    """Run code in a new interpreter; None where it takes too long."""
    try:
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=_IMPORT_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return None


def _trouble(done: subprocess.CompletedProcess[str] | None) -> str | None:
    if done is None:
        return f"no answer in {_IMPORT_TIMEOUT_S} s"
    return None if done.returncode == 0 else _last_line(done.stderr) or f"exit code {done.returncode}"


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""
