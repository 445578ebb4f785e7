from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from densegt.cli.simulate import command

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow


def test_bad_image_size_is_a_usage_error(tmp_path: Path) -> None:
    for size in ("800", "axb", "0x450", "99999x10"):
        result = CliRunner().invoke(command, ["--out", str(tmp_path / "o"), "--image-size", size])
        assert result.exit_code == 2
        assert "800x450" in result.output


def test_help_has_an_example() -> None:
    assert "Example" in CliRunner().invoke(command, ["--help"]).output


def test_it_writes_what_it_says(tmp_path: Path) -> None:
    out = tmp_path / "world"
    args = ["--street", "simple", "--out", str(out), "--scenes", "1", "--seconds", "0.5", "--image-size", "32x18"]
    result = CliRunner().invoke(command, args)
    assert result.exit_code == 0, result.output
    assert (out / "exact" / "scene-0001.h5").is_file()
    assert [p.name for p in tmp_path.iterdir()] == ["world"]
