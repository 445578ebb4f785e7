"""The page's cloud in a real browser: it turns, leaves ghosts, and takes other colours."""

import numpy as np
import pytest

from densegt.depth.depth_map import Source
from densegt.depth.point_votes import STEPS
from densegt.report import draw
from densegt.view.votes import colours
from densegt.view.voxels import COLOURS

from .window import opened

# A browser is started.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page(browser, viewed):
    return opened(browser, viewed.out)


def test_the_cloud_turns_with_the_mouse(page):
    from selenium.webdriver import ActionChains

    before, eye = page.pixels("cloud"), page.one("cloud").get_attribute("data-eye")
    all_points = page.one("cloud").get_attribute("data-drawn-points")
    drag = ActionChains(page.browser).move_to_element(page.one("cloud")).click_and_hold().move_by_offset(150, 20)
    after = page.drawn(lambda: drag.release().perform())
    assert page.one("cloud").get_attribute("data-eye") != eye
    assert (np.abs(after - before).max(axis=-1) > 20).mean() > 0.02
    page.drawn(lambda: page.click("from behind"))
    # A slow machine draws fewer while it turns, and all once it rests.
    page.wait.until(lambda _: page.one("cloud").get_attribute("data-drawn-points") == all_points)


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


def test_the_cloud_from_above_with_grid_and_tracks(page):
    page.drawn(lambda: page.click("from above"))
    eye = np.array(page.one("cloud").get_attribute("data-eye").split(","), dtype=float)
    page.drawn(lambda: page.click("from behind"))
    behind = np.array(page.one("cloud").get_attribute("data-eye").split(","), dtype=float)
    assert eye[2] > behind[2] + 40
    for name, first in (("grid", True), ("tracks", False)):
        assert page.cloud()[name] is first
        page.drawn(page.one(name).click)
        assert page.cloud()[name] is not first
    page.drawn(lambda: page.click("reset"))
    assert (page.cloud()["grid"], page.cloud()["tracks"]) == (True, False)


def test_colours_by_motion_vote(page):
    page.show(keyframe=0)
    page.wait.until(lambda _: page.cloud()["keyframe"] == 0)
    assert page.cloud()["votes"] is None
    script = "const c = arguments[0]; c.value = arguments[1]; c.dispatchEvent(new Event('change'))"
    by_vote = page.drawn(lambda: page.browser.execute_script(script, page.one("colour"), "vote"))
    first = page.cloud()["votes"]
    assert first > 100
    assert not page.one("vote-key").get_attribute("hidden")
    assert count(by_vote, colours()[round(0.9 * STEPS)]) > 50
    assert count(by_vote, colours()[round(0.1 * STEPS)]) > 50
    assert count(by_vote, draw.SOURCE_COLOURS[Source.STATIC]) < 20
    page.show(keyframe=1)
    page.wait.until(lambda _: page.cloud()["keyframe"] == 1)
    assert page.cloud()["votes"] != first
    page.drawn(lambda: page.click("reset"))
    assert page.cloud()["votes"] is None
    assert page.one("vote-key").get_attribute("hidden")


def test_voxels_in_the_points_place(page):
    page.show(keyframe=0)
    page.wait.until(lambda _: page.cloud()["keyframe"] == 0)
    before = page.pixels("cloud")
    script = "const c = arguments[0]; c.value = arguments[1]; c.dispatchEvent(new Event('change'))"
    pictures = {}
    for by in ("class", "height", "confidence"):
        pictures[by] = page.drawn(lambda by=by: page.browser.execute_script(script, page.one("voxels"), by))
        assert page.cloud()["voxels"] == by
        assert page.cloud()["occupied"] > 100
    assert page.one("voxel-key").get_attribute("hidden")
    assert count(before, draw.SOURCE_COLOURS[Source.STATIC]) > 100
    assert count(pictures["class"], draw.SOURCE_COLOURS[Source.STATIC]) < 20
    # The top of what is of no known class.
    assert count(pictures["class"], COLOURS[0]) > 500
    assert (np.abs(pictures["class"] - pictures["height"]).max(axis=-1) > 20).sum() > 500
    assert (np.abs(pictures["height"] - pictures["confidence"]).max(axis=-1) > 20).sum() > 500
    first = page.cloud()["occupied"]
    page.show(keyframe=1)
    page.wait.until(lambda _: page.cloud()["keyframe"] == 1)
    assert page.cloud()["occupied"] != first
    page.drawn(lambda: page.click("reset"))
    assert page.cloud()["occupied"] == 0
