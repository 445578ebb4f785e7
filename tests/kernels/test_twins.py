"""Every public kernel has a twin of the same name and arguments in tests/reference, or a reason not to have one."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path

import pytest

import densegt.kernels

from ..twins import twin_of

WITHOUT = {
    "beam.place_in_beam": "a part of beam_to",
    "beam.rough_arctan2": "numpy.arctan2 is the twin, to a stated bound",
    "confidence_network.network_buffers": "memory, not figures",
    "confidence_network.network_of_columns": "one block of confidence_network",
    "raycast.cast_image": "a loop over the rays of ground_hit and of the shapes, which have twins",
    "raycast.cast_columns": "a loop over the rays of ground_hit and of the shapes, which have twins",
    "raycast_ground.closing_rate": "a bound, tested as one",
    "raycast_shapes.window_cell": "a part of building_hit",
    "raycast_shapes.facade_axis": "a part of building_hit",
    "raycast_shapes.pane_is_glass": "a pattern that is its own definition",
    "shade.shade": "textures that are their own definition",
    **{
        f"voxel_traversal.{name}": "a part of march_rays and carve_beams"
        for name in ("way_inside", "voxel_at", "borders_ahead", "strides", "next_voxel", "is_inside")
    },
}


def kernels() -> list[tuple[str, str]]:
    """Module and name of every public compiled function."""
    found = []
    for path in sorted(Path(densegt.kernels.__file__).parent.glob("*.py")):
        for node in ast.parse(path.read_text()).body:
            compiled = isinstance(node, ast.FunctionDef) and any("njit" in ast.unparse(d) for d in node.decorator_list)
            if compiled and not node.name.startswith("_"):
                found.append((path.stem, node.name))
    return found


@pytest.mark.parametrize(("module", "name"), kernels())
def test_every_kernel_has_a_twin_of_its_name_and_arguments(module: str, name: str) -> None:
    kernel = getattr(import_module(f"densegt.kernels.{module}"), name)
    if f"{module}.{name}" in WITHOUT:
        with pytest.raises((ImportError, AttributeError)):
            twin_of(kernel)
    else:
        got, wanted = (list(inspect.signature(f).parameters) for f in (twin_of(kernel), kernel.py_func))
        assert got == wanted


def test_every_twin_is_compared() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    unused = [f"{module}.{name}" for module, name in kernels() if f"{module}.{name}" not in WITHOUT]
    assert not [name for name in unused if name.split(".")[1] not in tests]


def test_reasons_are_of_kernels_that_exist() -> None:
    assert WITHOUT.keys() <= {f"{module}.{name}" for module, name in kernels()}
