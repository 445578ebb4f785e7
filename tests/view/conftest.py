"""A small recording with its depth, and a browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from densegt.datasets import open_recording
from densegt.depth.point_votes import SweepVotes, VotesWriter

from ..conftest import MadeOnce, densegt_does

FLAGS = (
    "headless",
    "no-sandbox",
    "no-first-run",
    "disable-quic",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
    "window-size=1500,1000",
    # WebGL without a graphics card.
    "disable-gpu",
    "enable-unsafe-swiftshader",
)

NEAR_M, VOTED_M = 4.0, 20.0


@pytest.fixture(scope="session")
def viewed(tiny_dataset: Path, made_once: MadeOnce) -> SimpleNamespace:
    """Two cameras of the tiny dataset: `depth`, accumulated and completed, `voxels`, `votes`, and `out`, the page.

    `images` is the page without the cloud.
    """

    def make(folder: Path) -> None:
        write_votes(tiny_dataset, folder / "votes")
        (folder / "grid.yaml").write_text("frame: ego\nrange_m: [-8, -8, -1, 16, 8, 3]\nvoxel_m: 0.5\n")
        cameras = ["--camera", "CAM_FRONT", "--camera", "CAM_BACK"]
        said = densegt_does(
            ["accumulate", *data, "--out", str(folder / "depth"), *cameras],
            ["complete", *data, "--depth", str(folder / "depth"), "--out", str(folder / "completed")],
            ["view", *data, "--depth", str(folder / "completed"), "--no-cloud", "--out", str(folder / "images.html")],
            ["occupancy", *data, "--out", str(folder / "voxels"), "--grid", str(folder / "grid.yaml")],
            [
                *("view", *data, "--depth", str(folder / "completed"), "--out", str(folder / "view.html")),
                *("--occupancy", str(folder / "voxels"), "--motion-votes", str(folder / "votes")),
            ],
        )
        (folder / "said.txt").write_text(said)

    data = ["--dataroot", str(tiny_dataset)]
    folder = made_once("viewed", make)
    said = (folder / "said.txt").read_text()
    return SimpleNamespace(
        data=tiny_dataset,
        depth=folder / "completed",
        voxels=folder / "voxels",
        votes=folder / "votes",
        out=folder / "view.html",
        images=folder / "images.html",
        said=said,
    )


def write_votes(dataset: Path, out: Path) -> None:
    """Votes that need no network: what lies farther than VOTED_M moves; none on what is near."""
    scene = open_recording(dataset).scene("scene-0001")
    with VotesWriter(out, scene.name, {"classes": []}, input_digest="") as writer:
        for sweep in scene.sweeps:
            range_m = np.linalg.norm(scene.read_points(sweep).xyz_lidar, axis=1)
            votes = SweepVotes.none(len(range_m))
            votes.moving[range_m > NEAR_M] = 0.1
            votes.moving[range_m > VOTED_M] = 0.9
            writer.write(sweep.lidar.channel, sweep.timestamp_us, votes)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Chromium or Chrome without a window; its tests skip where there is none."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if not program or not driver:
        pytest.skip("no Chromium with chromedriver on this machine (Debian: apt-get install chromium chromium-driver)")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in FLAGS:
        options.add_argument(f"--{flag}")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    window = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield window
    finally:
        window.quit()
