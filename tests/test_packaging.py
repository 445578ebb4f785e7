"""What pyproject.toml, constraints.txt and the changelog say agrees with what is on disk."""

import fnmatch
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import densegt

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUPTOOLS = PYPROJECT["tool"]["setuptools"]


def folder_of(package):
    """Where a package's files lie: two packages live beside densegt/, not in it."""
    return ROOT / SETUPTOOLS["package-dir"].get(package, package.replace(".", "/"))


def packages_on_disk():
    inside = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "densegt").rglob("*.py")
        if "__pycache__" not in path.parts
    }
    beside = set()
    for package, folder in SETUPTOOLS["package-dir"].items():
        for path in (ROOT / folder).rglob("*.py"):
            beside.add(".".join((package, *path.parent.relative_to(ROOT / folder).parts)))
    return inside | beside


def test_every_package_is_listed():
    assert set(SETUPTOOLS["packages"]) == packages_on_disk()
    assert SETUPTOOLS["packages"] == sorted(SETUPTOOLS["packages"])


@pytest.mark.parametrize("package", SETUPTOOLS["packages"])
def test_every_package_has_an_init(package):
    assert (folder_of(package) / "__init__.py").is_file()


@pytest.mark.parametrize("package", SETUPTOOLS["packages"])
def test_every_data_file_ships(package):
    patterns = SETUPTOOLS["package-data"].get(package, [])
    for path in folder_of(package).iterdir():
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            assert any(fnmatch.fnmatch(path.name, pattern) for pattern in patterns), path


@pytest.mark.parametrize("package", SETUPTOOLS["package-data"])
def test_data_files_are_found_through_the_package(package):
    on_disk = {p.name for p in folder_of(package).iterdir() if p.is_file() and p.suffix not in (".py", ".pyc")}
    assert on_disk <= {resource.name for resource in files(package).iterdir()}


def test_tests_stand_where_the_package_has_what_they_test():
    others = {"benchmarks", "cli", "reference", "toy", "datasets/writers", "simulate/city"}
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("*.py")}
    strays = {str(folder) for folder in folders if not (ROOT / "densegt" / folder).is_dir()}
    assert strays <= others


def test_version_is_the_changelogs_newest():
    released = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert released[0] == densegt.__version__


def test_version_is_the_citations():
    assert f"\nversion: {densegt.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_every_direct_dependency_is_pinned_within_its_range():
    pins = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, version = line.split("==")
            pins[canonicalize_name(name)] = version
    project = PYPROJECT["project"]
    wanted = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    for requirement in map(Requirement, wanted):
        if requirement.name != "densegt":
            assert pins[canonicalize_name(requirement.name)] in requirement.specifier, requirement
