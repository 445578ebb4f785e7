"""The demo: the whole line in one folder, which is never somebody else's."""

import json

import pytest
from click.testing import CliRunner
from densegt.cli.demo import MARKER, prepare
from densegt.cli.main import group

from densegt.errors import InputError


# Simulates, accumulates, completes and reports.
@pytest.mark.slow
def test_the_whole_line(tmp_path):
    out = tmp_path / "demo"
    arguments = ["demo", "--out", str(out), "--street", "simple", "--seconds", "0.5", "--image-size", "96x54"]
    done = CliRunner().invoke(group, arguments, standalone_mode=False)
    assert done.exception is None, done.output
    assert done.return_value == 0
    for name in ("simulate", "accumulate", "complete", "compare", "evaluate", "view", "report"):
        assert f"\n$ densegt {name} " in done.output
    end = done.output.partition("\nDone in ")[2]
    assert str(out / "view.html") in end.splitlines()[1]
    assert end.splitlines()[-1].strip().startswith("densegt accumulate --dataroot /data/nuscenes")
    for name in ("view", "report", "compare"):
        assert (out / f"{name}.html").read_text().startswith("<!")
    assert json.loads((out / "figures.json").read_text())["all"]["right_percent"] > 50


def test_an_earlier_demo_is_replaced(tmp_path):
    prepare(tmp_path / "demo")
    (tmp_path / "demo" / "depth").mkdir()
    prepare(tmp_path / "demo")
    assert [path.name for path in (tmp_path / "demo").iterdir()] == [MARKER]


def test_an_empty_folder_is_taken(tmp_path):
    prepare(tmp_path)
    assert (tmp_path / MARKER).is_file()


def test_another_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("do not delete")
    with pytest.raises(InputError, match="not a demo"):
        prepare(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
