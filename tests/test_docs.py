"""The documentation builds without a warning, its code runs, and its figures say where they come from."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from densegt.cli.main import COMMANDS

from densegt.autolabel.labels import Label
from densegt.autolabel.publish import SceneLabels, write_labels
from densegt.geometry import se3

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))

# What is true after a block of code ran, by a word that stands in it.
AFTERWARDS = {
    'accumulate(recording, "made")': """
# The command's defaults are the function's.
(made,), (commanded,) = store.scene_names, densegt.DepthStore("depth").scene_names
assert made == commanded and len(store) == len(densegt.DepthStore("depth")) > 0
for image, other in zip(store, densegt.DepthStore("depth")):
    assert (image.depth_m == other.depth_m).all() and (image.source == other.source).all() and image.depth_m.any()
""",
    "ExactScene(": """
import json
from densegt.simulate.city import CityStreet
from densegt.simulate.config import SimulateConfig
from densegt.simulate.run import simulate
config = SimulateConfig(scenes=1, seconds=0.5, width_px=32, height_px=18, seed=4)
simulate(config, Path("city"), street=CityStreet("city-small"), workers=1)
stamp_us = json.loads(next(Path("city").glob("v1.0-*/sample.json")).read_text())[0]["timestamp"]
found = surface(Path("city"), "scene-0001", stamp_us)
assert found.area.shape == (200, 200, 16) and found.area.any() and not found.area.all()
""",
    "read_labels(": """
assert [path.stem for path in Path("labels").glob("*.h5")] == ["scene-0001"]
assert (label.token, label.category, label.verified) == ("vehicle-0000", "vehicle.car", True)
""",
    "accumulate_scene(": """
assert camera.channel == "CAM_FRONT" and measured.any() and (~measured).any()
""",
    "build_cloud(": """
own = densegt.render(cloud, left, config).depth_m
assert depth_m.shape == own.shape == (54, 96)
# What is at depth z moves by f 0.5 / z to the left.
rows, columns = np.nonzero(own > 5)
moved = np.rint(columns - left.K[0, 0] * 0.5 / own[rows, columns]).astype(int)
rows, columns, moved = (values[moved >= 0] for values in (rows, columns, moved))
both = depth_m[rows, moved] > 0
assert both.mean() > 0.5
assert np.median(np.abs(depth_m[rows, moved] / own[rows, columns] - 1)[both]) < 0.02
""",
    "render_points(": """
assert abs(seen.depth_m[90, 160] - 10) < 0.01
assert abs(seen.depth_m[170, 10] - 200 * 1.5 / 80) < 0.05
# The ground behind the wall would be seen at 40 m here.
assert abs(seen.depth_m[98, 160] - 10) < 0.01
""",
    "densegt.complete(": """
from pathlib import Path
assert completed.path == Path("filled") and len(completed) == len(densegt.DepthStore("depth"))
coverage = [(image.depth_m > 0).mean() for image in completed]
assert all(c > (image.depth_m > 0).mean() for c, image in zip(coverage, densegt.DepthStore("depth"))), coverage
assert figures.right_percent > densegt.evaluate("depth", "world/exact").summary.all.right_percent
""",
    'DepthStore("depth")\nsample_token': """
assert image.depth_m.shape == age_s.shape == (54, 96) and image.channel == channel
""",
    "depth_m, known": """
assert depth_m.shape == (2, 6, 128, 352) and known.any() and not known.all()
""",
    "image = cameras[": """
assert depth_m.shape == source.shape == (54, 96) and (depth_m > 0).any()
assert K.shape == (3, 3)
""",
    "images, depth_m = batch": """
assert images.shape == (2, 6, 3, 128, 352)
assert depth_m.shape == (2, 6, 128, 352) and (depth_m > 0).any()
""",
    "train_pipeline = [": """
assert [step["type"] for step in train_pipeline][-1] == "LoadDenseDepth"
""",
    "mine.create_group": """
import densegt
found = densegt.evaluate("mine", "world/exact").summary
assert found.all.right_percent > 99 and 0 < found.all.mae_m < 0.6
""",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The pages as mkdocs builds them; dead links and anchors, pages in no menu and unknown names are errors."""
    pytest.importorskip("mkdocs", reason='mkdocs is missing: pip install "densegt[docs]"')
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Loads(HTMLParser):
    """What a page fetches by itself, and what it links to."""

    def __init__(self, text):
        super().__init__()
        self.fetched, self.ids = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag in ("script", "img", "iframe") and "src" in attrs:
            self.fetched.append(attrs["src"])
        if tag == "link" and attrs.get("rel") == "stylesheet":
            self.fetched.append(attrs["href"])
        self.ids.add(attrs.get("id"))


# mkdocs reads every module.
@pytest.mark.slow
def test_every_page_is_there_and_fetches_nothing_from_elsewhere(site):
    for page in PAGES:
        built = site / page.stem / "index.html" if page.stem != "index" else site / "index.html"
        loads = Loads(built.read_text())
        assert not [name for name in loads.fetched if "//" in name], page.name


# mkdocs reads every module.
@pytest.mark.slow
def test_every_command_has_its_options_there(site):
    text = (site / "commands" / "index.html").read_text()
    ids = Loads(text).ids
    for name in COMMANDS:
        assert f"densegt-{name}" in ids, name
    assert "--refine-poses" in text
    assert "--no-cloud" in text
    assert "UNSET" not in text


# mkdocs reads every module.
@pytest.mark.slow
def test_the_python_interface_is_there(site):
    ids = Loads((site / "python" / "index.html").read_text()).ids
    for name in re.findall(r"^::: (\S+)", (DOCS / "python.md").read_text(), re.MULTILINE):
        assert name in ids or any(i and i.startswith(f"{name}.") for i in ids), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_figure_stands_with_its_command(page):
    text = page.read_text()
    figures = re.findall(r"!\[.+?\]\((.+?)\)", text)
    for figure in figures:
        assert (DOCS / figure).is_file()
    assert not figures or re.search(r"python -m benchmarks\.figures\.make_\w+", text)


def test_every_figure_is_used():
    used = {name for page in PAGES for name in re.findall(r"figures/[\w.]+\.(?:jpg|png)", page.read_text())}
    assert used == {f"figures/{path.name}" for path in (DOCS / "figures").iterdir()}


def blocks():
    for page in PAGES:
        for code in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
            yield pytest.param(code, id=f"{page.name}: {code.strip().splitlines()[-1].strip()[:40]}")


def a_label():
    at = se3.from_yaw(0.3, [10.0, 5.0, 1.0])
    size_lwh_m, velocity_mps, points = np.array([4.4, 2.0, 1.5]), np.zeros((1, 2)), np.array([9])
    car = Label(
        "vehicle-0000", "vehicle.car", size_lwh_m, ("a",), at[None], velocity_mps, points, 0.9, True, "car",
        np.zeros(8), np.eye(4), np.array([0, 1]), np.stack([at, at]),
    )  # fmt: skip
    return SceneLabels("scene-0001", ("a",), (car,))


# Runs what is shown.
@pytest.mark.slow
@pytest.mark.parametrize("code", list(blocks()))
def test_code_runs(code, whole_line, tmp_path, monkeypatch):
    (found,) = [check for word, check in AFTERWARDS.items() if word in code]
    for name in ("world", "depth"):
        (tmp_path / name).symlink_to(whole_line / name)
    (tmp_path / "mine").mkdir()
    write_labels(tmp_path / "labels" / "scene-0001.h5", a_label(), {}, "")
    if "torch" in code:
        pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    shown = f"{code}\n{found}"
    if "num_workers" not in code:
        exec(shown, {})
        return
    # What forks, in an interpreter of its own: this one has threads by now.
    (tmp_path / "shown.py").write_text(shown)
    done = subprocess.run([sys.executable, "shown.py"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


# Draws with what it starts: the figures are a command's.
@pytest.mark.slow
def test_figures_are_drawn_by_the_command(whole_line, tmp_path):
    demo = tmp_path / "demo"
    demo.mkdir()
    for name in ("world", "depth", "completed"):
        (demo / name).symlink_to(whole_line / name)
    command = [
        *(sys.executable, "-m", "benchmarks.figures.make_figures"),
        *(str(demo), str(tmp_path / "drawn"), "--keyframe", "1"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # The sheet of worlds has a command of its own.
    there = {path.name for path in (DOCS / "figures").iterdir()} - {"worlds.jpg"}
    assert {path.name for path in (tmp_path / "drawn").iterdir()} == there
