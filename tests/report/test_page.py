import base64
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from densegt.errors import InputError
from densegt.report.page import write_report

from ..depth.stores import camera, densegt, world, write_store

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow

SIZE = (960, 540)


@pytest.fixture
def recording(tmp_path):
    """A store of 3 keyframes x 2 cameras, its images and its exact depth."""
    truth, kind = world(SIZE)
    cams = [
        camera(sample=f"s{i}", channel=c, timestamp_us=500_000 * i, size=SIZE)
        for i in range(3)
        for c in ("CAM_FRONT", "CAM_BACK")
    ]
    for cam in cams:
        path = tmp_path / "data" / cam.filename
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((SIZE[1], SIZE[0], 3), 90, dtype=np.uint8))
    depth = truth * 1.01
    depth[:, ::3] = 0
    write_store(tmp_path / "depth", [(cam, depth, None) for cam in cams], config={"window": "<scene> & co"})
    write_store(tmp_path / "data" / "exact", [(cam, truth, {"kind": kind}) for cam in cams])
    return tmp_path


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.images, self.links = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "img" and "src" in attrs:
            self.images.append(attrs["src"])
        self.links += [attrs[a] for a in ("href", "src", "xlink:href") if a in attrs]


def report(recording, **options):
    out = recording / "pages" / "report.html"
    shown = write_report(recording / "depth", recording / "data", out, **options)
    return shown, out.read_text(encoding="utf-8")


def test_the_page_is_whole_and_loads_nothing(recording):
    shown, text = report(recording)
    tags = Tags(text)
    assert shown == 6
    assert len(tags.images) == 6 * 5
    assert all(link.startswith(("data:image/", "#")) for link in tags.links)
    assert not re.search(r"@import|url\((?!#)|<script[^>]+src", text)
    for uri in tags.images:
        picture = cv2.imdecode(np.frombuffer(base64.b64decode(uri.split(",")[1]), np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape == (270, 480, 3)
    for words in (
        "scene-0001",
        "CAM_BACK",
        "labelled dynamic object",
        "Coverage by range",
        "Outliers by kind",
        "960×540",  # noqa: RUF001
    ):
        assert words in text
    assert "&lt;scene&gt; &amp; co" in text
    assert "<scene>" not in text
    assert "are shown" not in text
    assert text.count("<svg") == text.count("</svg>") == 3
    assert list((recording / "pages").iterdir()) == [recording / "pages" / "report.html"]


def test_without_truth(recording):
    (recording / "data/exact/scene-0001.h5").unlink()
    (recording / "data/exact").rmdir()
    shown, text = report(recording)
    assert (shown, len(Tags(text).images)) == (6, 18)
    assert "Against the truth" not in text
    assert "<svg" not in text


def test_a_truth_that_lies_there_but_does_not_fit_is_named(recording):
    (recording / "data/exact/scene-0001.h5").rename(recording / "data/exact/scene-0002.h5")
    _, text = report(recording)
    assert "is not used as truth" in text
    assert "Against the truth" not in text
    with pytest.raises(InputError, match="no image in common"):
        report(recording, truth_dir=recording / "data/exact")


def test_images_are_limited_and_it_says_so(recording):
    shown, text = report(recording, max_images=2)
    assert (shown, len(Tags(text).images)) == (2, 10)
    assert "2 of 6 images are shown" in text
    shown, text = report(recording, max_images=0)
    assert shown == 0
    assert "0 of 6 images are shown" in text


def test_progress_ends_at_its_total(recording):
    seen = []
    report(recording, progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == list(range(1, 6 * 3 + 1))
    assert {total for _, total in seen} == {18}


def test_a_missing_image_is_named(recording):
    path = recording / "data" / "samples/CAM_BACK/s1__CAM_BACK.jpg"
    path.write_bytes(b"no image")
    with pytest.raises(InputError, match=r"s1__CAM_BACK\.jpg: not a readable image"):
        report(recording)
    path.unlink()
    with pytest.raises(InputError, match=r"s1__CAM_BACK\.jpg: no such image; --dataroot"):
        report(recording)
    assert not (recording / "pages").exists()


def test_the_same_store_gives_the_same_page(recording):
    assert report(recording)[1] == report(recording)[1]


def test_command(recording):
    out = recording / "r.html"
    result = densegt(
        "report", "--depth", recording / "depth", "--dataroot", recording / "data", "--out", out, "--max-images", 2
    )
    assert result.exit_code == 0, result.output
    assert "2 images shown" in result.stdout
    assert result.stderr == ""
    assert out.stat().st_size > 10_000
