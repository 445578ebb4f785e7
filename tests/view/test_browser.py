"""The page in a real browser: what it shows, what the mouse reads, what the clicks do."""

from pathlib import Path

import numpy as np
import pytest

from densegt.depth.store import SceneReader
from densegt.report import draw

from .window import opened

# A browser is started.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page(browser, viewed):
    """Without the cloud, which a machine without a graphics card draws slowly."""
    return opened(browser, viewed.images)


@pytest.fixture(scope="module")
def reader(viewed):
    return SceneReader(viewed.depth / "scene-0001.h5")


def coarse(record):
    """Uncertainty of 2x2 pixels is that of the nearest depth of them, as are age and confidence; 0 without depth."""
    picked = draw.shrink(record.layers["uncertainty"], draw.nearest_in_blocks(record.depth_m, 2), 2)
    full = np.pad(picked.repeat(2, axis=0).repeat(2, axis=1), ((0, 1), (0, 1)), mode="edge")
    height, width = record.depth_m.shape
    return np.where(record.depth_m > 0, full[:height, :width], 0).astype(np.float32)


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
            # Halves are rounded up there, to even numbers by Python.
            shown_m = np.floor(record.depth_m[v, u] * 1000.0 + 0.5) / 1000
            assert (f"{shown_m:.3f} m" if shown_m else "no depth") in read["words"]
            known += bool(record.depth_m[v, u])
    assert known >= 20


def test_a_real_mouse_reads_too(page, reader):
    from selenium.webdriver import ActionChains

    page.show()
    canvas = page.one("right")
    ActionChains(page.browser).move_to_element_with_offset(canvas, 31, 57).perform()
    data = page.browser.execute_script("return {...document.getElementById('readout').dataset}")
    # Offsets count from the middle of what the window shows of it.
    script = (
        "const b = arguments[0].getBoundingClientRect();"
        "const middle = (from, to, most) => (Math.max(from, 0) + Math.min(to, most)) / 2;"
        "return [b.left, b.top, b.width, middle(b.left, b.right, innerWidth), middle(b.top, b.bottom, innerHeight)]"
    )
    left, top, width, x, y = page.browser.execute_script(script, canvas)
    record = reader.read(reader.keys[0][0], "CAM_FRONT")
    scale = record.depth_m.shape[1] / width
    assert abs(int(data["u"]) - (x + 31 - left) * scale) <= 1.5
    assert abs(int(data["v"]) - (y + 57 - top) * scale) <= 1.5
    assert float(data["depthM"]) == record.depth_m[int(data["v"]), int(data["u"])]


@pytest.mark.parametrize("layer", ["Completed", "Measured", "Source", "Ground truth", "Error", "Uncertainty"])
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
        "Measured": lambda: draw.colour_depth(measured),
        "Source": lambda: draw.source_picture(record.source),
        "Ground truth": lambda: draw.colour_depth(exact),
        "Error": lambda: draw.error_picture(record.depth_m, exact),
        "Uncertainty": lambda: draw.uncertainty_picture(coarse(record)),
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
    page.show(layer="Measured")
    page.browser.execute_script(script, page.one("opacity"), 0)
    assert np.abs(page.pixels() - image).max() <= 1
    page.browser.execute_script(script, page.one("opacity"), 0.75)
    assert np.abs(page.pixels() - image).mean() > 10


def test_arrow_keys_and_playing_change_the_keyframe(page):
    from selenium.webdriver.common.keys import Keys

    page.show(keyframe=0)
    page.browser.find_element("tag name", "body").send_keys(Keys.ARROW_RIGHT)
    page.wait.until(lambda _: page.shown.startswith("0/1/"))
    page.click("▶")
    page.wait.until(lambda _: not page.shown.startswith("0/1/"))
    page.one("play").click()


def set_value(page, name, value):
    script = "const o = arguments[0]; o.value = arguments[1]; o.dispatchEvent(new Event('input'))"
    page.browser.execute_script(script, page.one(name), value)


def test_zoom_and_pan_are_the_same_on_both_sides_and_the_mouse_still_reads_the_store(page, reader):
    record = reader.read(reader.keys[0][0], "CAM_FRONT")
    page.show(keyframe=0, camera="CAM_FRONT", layer="Measured")
    page.one("side").click()
    try:
        whole = page.pixels("left")
        page.one("nearer").click()
        page.one("nearer").click()
        assert page.one("zoom").text == "2.3×"  # noqa: RUF001
        assert np.abs(page.pixels("left") - whole).mean() > 3
        # Side by side: what a pixel shows on the right is the depth of what it shows on the left.
        for u, v in ((30, 40), (80, 45), (120, 70)):
            script = (
                "const c = arguments[0], b = c.getBoundingClientRect();"
                "c.dispatchEvent(new PointerEvent('pointermove', {bubbles: true,"
                "clientX: b.left + (arguments[1] + .5) * b.width / c.width,"
                "clientY: b.top + (arguments[2] + .5) * b.height / c.height}));"
                "return {...document.getElementById('readout').dataset}"
            )
            read = [page.browser.execute_script(script, page.one(name), u, v) for name in ("left", "right")]
            assert read[0] == read[1]
            row, column = int(read[0]["v"]), int(read[0]["u"])
            assert float(read[0]["depthM"]) == record.depth_m[row, column]
            assert 45 <= column <= 115
        page.one("whole").click()
        assert np.abs(page.pixels("left") - whole).max() <= 1
    finally:
        page.one("side").click()


def test_the_wheel_keeps_what_the_mouse_is_on(page):
    page.show(keyframe=0, camera="CAM_FRONT", layer="Image")
    script = (
        "const c = arguments[0], b = c.getBoundingClientRect(), x = b.left + b.width * .25, y = b.top + b.height * .6;"
        "const read = () => {"
        "c.dispatchEvent(new PointerEvent('pointermove', {bubbles: true, clientX: x, clientY: y}));"
        "return [+document.getElementById('readout').dataset.u, +document.getElementById('readout').dataset.v] };"
        "const before = read();"
        "c.dispatchEvent(new WheelEvent('wheel', {deltaY: -600, clientX: x, clientY: y, cancelable: true}));"
        "return [before, read()]"
    )
    before, after = page.browser.execute_script(script, page.one("right"))
    assert np.abs(np.array(before) - after).max() <= 1
    assert float(page.one("zoom").text[:-1]) > 2
    page.one("whole").click()


def test_worst_places_come_first_and_lead_there(page, reader, viewed):
    first, *rest = page.one("places").find_elements("tag name", "button")
    counts = [int(b.text.split(": ")[1].split()[0]) for b in (first, *rest)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 0
    first.click()
    page.wait.until(lambda _: first.get_attribute("aria-pressed") == "true")
    *_, camera, layer = page.shown.split("/")
    assert layer == "error"
    assert first.text.startswith(camera)
    assert float(page.one("zoom").text[:-1]) > 1
    # There are wrong pixels in the middle of what is shown now.
    picture = page.pixels()
    middle = picture[picture.shape[0] // 3 : -picture.shape[0] // 3, picture.shape[1] // 3 : -picture.shape[1] // 3]
    page.one("whole").click()
    assert len(np.unique(middle.reshape(-1, 3), axis=0)) > 3


def test_the_address_leads_back_to_what_was_shown(page, viewed):
    page.show(keyframe=1, camera="CAM_BACK", layer="Source")
    page.one("nearer").click()
    address = page.browser.execute_script("return document.getElementById('link').href")
    for word in ("scene=scene-0001", "keyframe=1", "camera=CAM_BACK", "layer=source", "zoom=1.50"):
        assert word in address
    page.show(keyframe=0, camera="CAM_FRONT", layer="Measured")
    page.one("whole").click()
    page.browser.execute_script("location.hash = arguments[0]", address.partition("#")[2])
    page.wait.until(lambda _: page.shown == "0/1/CAM_BACK/source")
    assert page.one("zoom").text == "1.5×"  # noqa: RUF001
    page.one("whole").click()


def test_all_cameras_at_once(page):
    page.show(keyframe=0, layer="Measured")
    page.click("all")
    page.wait.until(lambda _: page.one("mosaic").get_attribute("data-shown") == "0/0/measured")
    tiles = page.one("mosaic").find_elements("tag name", "button")
    assert [tile.text for tile in tiles] == ["CAM_FRONT", "CAM_BACK"]
    assert not page.one("pair").is_displayed()
    tiles[1].click()
    page.wait.until(lambda _: page.shown == "0/0/CAM_BACK/measured")
    assert page.one("pair").is_displayed()
    assert not page.one("mosaic").find_elements("tag name", "button")


def test_values_of_sliders_are_told(page):
    set_value(page, "opacity", 0.4)
    assert page.one("opacity-value").text == "40 %"
    set_value(page, "opacity", 0.75)


def test_a_phone_shows_it_in_one_column(page):
    size = page.browser.get_window_size()
    page.browser.set_window_size(500, 900)
    try:
        width = page.browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
        assert width[0] <= width[1]
        assert page.one("space").location["y"] > page.one("right").location["y"] + page.one("right").size["height"]
    finally:
        page.browser.set_window_size(size["width"], size["height"])


def test_nothing_bars_people_who_see_or_point_otherwise(page):
    """axe-core's rules of serious and critical impact."""
    axe = pytest.importorskip("axe_core_python", reason="pip install axe-core-python")
    source = (Path(axe.__file__).parent / "axe.min.js").read_text()
    page.browser.execute_script(source)
    found = page.browser.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    serious = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
    assert not serious, [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in serious]
    assert len(found["passes"]) > 10
