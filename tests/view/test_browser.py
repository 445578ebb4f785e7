"""The page in a real browser: what it shows, what the mouse reads, what the clicks do."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from densegt.depth.depth_map import Source
from densegt.depth.store import SceneReader
from densegt.report import draw

# A browser is started.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page(browser, viewed):
    from selenium.webdriver.support.wait import WebDriverWait

    browser.get(viewed.out.as_uri())
    wait = WebDriverWait(browser, 60, poll_frequency=0.05)
    wait.until(lambda b: b.execute_script("return document.body.dataset.readyMs"))
    return Page(browser, wait)


@pytest.fixture(scope="module")
def reader(viewed):
    return SceneReader(viewed.depth / "scene-0001.h5")


class Page:
    """What a person does with it."""

    def __init__(self, browser, wait):
        self.browser, self.wait = browser, wait

    def one(self, name):
        return self.browser.find_element("id", name)

    def click(self, words):
        (button,) = [b for b in self.browser.find_elements("tag name", "button") if b.text == words]
        button.click()

    def show(self, *, keyframe=0, camera="CAM_FRONT", layer="Depth"):
        script = "const t = arguments[0]; t.value = arguments[1]; t.dispatchEvent(new Event('input'))"
        self.browser.execute_script(script, self.one("time"), keyframe)
        self.wait.until(lambda _: self.shown.split("/")[1] == str(keyframe))
        self.click(camera)
        self.wait.until(lambda _: self.shown.split("/")[2] == camera)
        self.click(layer)
        name = {"Exact": "truth"}.get(layer, layer.lower())
        self.wait.until(lambda _: self.shown.split("/")[3] == name)

    @property
    def shown(self):
        return self.one("right").get_attribute("data-shown")

    def point_at(self, u, v):
        """Move the mouse to the middle of a pixel; what is read there."""
        script = (
            "const c = arguments[0], b = c.getBoundingClientRect();"
            "c.dispatchEvent(new PointerEvent('pointermove', {bubbles: true,"
            "clientX: b.left + (arguments[1] + .5) * b.width / c.width,"
            "clientY: b.top + (arguments[2] + .5) * b.height / c.height}));"
            "const r = document.getElementById('readout'); return {...r.dataset, words: r.innerText}"
        )
        return self.browser.execute_script(script, self.one("right"), u, v)

    def pixels(self, name="right"):
        """A canvas as it is on the page, RGB."""
        uri = self.browser.execute_script("return arguments[0].toDataURL('image/png')", self.one(name))
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("RGB")).astype(int)

    def cloud(self):
        return json.loads(self.one("cloud").get_attribute("data-state"))

    def drawn(self, act):
        """The cloud's picture after the act that draws it anew."""
        frames = self.one("cloud").get_attribute("data-frames")
        act()
        self.wait.until(lambda _: self.one("cloud").get_attribute("data-frames") != frames)
        return self.pixels("cloud")


def test_nothing_goes_wrong_and_nothing_is_fetched(page):
    assert not [line for line in page.browser.get_log("browser") if line["level"] == "SEVERE"]
    fetched = page.browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert all(name.startswith(("data:", "blob:")) for name in fetched), fetched


def test_hovered_metres_are_the_stores_in_fifty_pixels(page, reader):
    rng = np.random.default_rng(11)
    known = 0
    for sample, channel in [reader.keys[i] for i in rng.choice(len(reader), 5, replace=False)]:
        record = reader.read(sample, channel)
        keyframe = list(dict.fromkeys(s for s, _ in reader.keys)).index(sample)
        page.show(keyframe=keyframe, camera=channel)
        for _ in range(10):
            v, u = (int(rng.integers(n)) for n in record.depth_m.shape)
            read = page.point_at(u, v)
            assert (int(read["u"]), int(read["v"])) == (u, v)
            assert float(read["depthM"]) == record.depth_m[v, u]
            assert (f"{record.depth_m[v, u]:.3f} m" if record.depth_m[v, u] else "no depth") in read["words"]
            known += bool(record.depth_m[v, u])
    assert known >= 20


def test_a_real_mouse_reads_too(page, reader):
    from selenium.webdriver import ActionChains

    page.show()
    canvas = page.one("right")
    ActionChains(page.browser).move_to_element_with_offset(canvas, 31, 57).perform()
    data = page.browser.execute_script("return {...document.getElementById('readout').dataset}")
    record = reader.read(reader.keys[0][0], "CAM_FRONT")
    scale = record.depth_m.shape[1] / canvas.rect["width"]
    assert abs(int(data["u"]) - (canvas.rect["width"] / 2 + 31) * scale) <= 1.5
    assert abs(int(data["v"]) - (canvas.rect["height"] / 2 + 57) * scale) <= 1.5
    assert float(data["depthM"]) == record.depth_m[int(data["v"]), int(data["u"])]


@pytest.mark.parametrize("layer", ["Completed", "Depth", "Source", "Exact", "Error"])
def test_layers_look_as_in_the_report(page, reader, viewed, layer):
    """Side by side nothing is blended, so the colours are those of densegt.report.draw."""
    sample, channel = reader.keys[-1]
    record = reader.read(sample, channel)
    exact = SceneReader(viewed.data / "exact" / "scene-0001.h5").read(sample, channel).depth_m
    # Exact depth is carried in steps of 1/32 m.
    exact = (np.maximum(np.rint(exact * 32), exact > 0) / 32).astype(np.float32)
    measured = np.where(record.source == 5, 0, record.depth_m).astype(np.float32)
    expected = {
        "Completed": lambda: draw.colour_depth(record.depth_m),
        "Depth": lambda: draw.colour_depth(measured),
        "Source": lambda: draw.source_picture(record.source),
        "Exact": lambda: draw.colour_depth(exact),
        "Error": lambda: draw.error_picture(record.depth_m, exact),
    }[layer]().astype(int)
    page.one("side").click()
    try:
        page.show(keyframe=len(reader) // 2 - 1, camera=channel, layer=layer)
        # Rounding may choose the neighbour of one of 256 colours.
        wrong = np.abs(page.pixels() - expected).max(axis=-1) > 12
    finally:
        page.one("side").click()
    assert wrong.mean() < 0.002
    assert len(np.unique(expected.reshape(-1, 3), axis=0)) > 3


def test_blending_shows_the_image_below(page):
    script = "const o = arguments[0]; o.value = arguments[1]; o.dispatchEvent(new Event('input'))"
    page.show(layer="Image")
    image = page.pixels("left")
    page.show(layer="Depth")
    page.browser.execute_script(script, page.one("opacity"), 0)
    assert np.abs(page.pixels() - image).max() <= 1
    page.browser.execute_script(script, page.one("opacity"), 0.75)
    assert np.abs(page.pixels() - image).mean() > 10


def test_the_cloud_turns_with_the_mouse(page):
    from selenium.webdriver import ActionChains

    before, eye = page.pixels("cloud"), page.one("cloud").get_attribute("data-eye")
    drag = ActionChains(page.browser).move_to_element(page.one("cloud")).click_and_hold().move_by_offset(150, 20)
    after = page.drawn(lambda: drag.release().perform())
    assert page.one("cloud").get_attribute("data-eye") != eye
    assert (np.abs(after - before).max(axis=-1) > 20).mean() > 0.02
    page.drawn(lambda: page.click("from behind"))


def test_without_motion_compensation_there_are_ghosts(page):
    page.show(keyframe=1)
    without_ghosts = page.pixels("cloud")
    assert page.cloud()["compensated"] is True
    ghosts = page.drawn(lambda: page.one("compensated").click())
    assert page.cloud()["compensated"] is False
    again = page.drawn(lambda: page.one("compensated").click())
    assert (ghosts != without_ghosts).any(axis=-1).sum() > 50
    assert np.abs(again - without_ghosts).mean() < 0.5


def test_colours_by_object(page):
    before = page.pixels("cloud")
    script = "const c = arguments[0]; c.value = arguments[1]; c.dispatchEvent(new Event('change'))"
    by_object = page.drawn(lambda: page.browser.execute_script(script, page.one("colour"), "object"))
    page.drawn(lambda: page.browser.execute_script(script, page.one("colour"), "source"))
    assert count(before, draw.SOURCE_COLOURS[Source.STATIC]) > 100
    assert count(by_object, draw.SOURCE_COLOURS[Source.STATIC]) < 20


def count(picture, colour):
    """Pixels of nearly this colour."""
    return (np.abs(picture - np.array(colour)).max(axis=-1) < 4).sum()


def test_arrow_keys_and_playing_change_the_keyframe(page):
    from selenium.webdriver.common.keys import Keys

    page.show(keyframe=0)
    page.browser.find_element("tag name", "body").send_keys(Keys.ARROW_RIGHT)
    page.wait.until(lambda _: page.shown.startswith("0/1/"))
    page.click("▶")
    page.wait.until(lambda _: not page.shown.startswith("0/1/"))
    page.one("play").click()
