"""What a person does with the page, in a browser."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
from PIL import Image


class Page:
    """What a person does with it."""

    def __init__(self, browser, wait):
        self.browser, self.wait = browser, wait

    def one(self, name):
        return self.browser.find_element("id", name)

    def click(self, words):
        (button,) = [b for b in self.browser.find_elements("tag name", "button") if b.text == words]
        button.click()

    def show(self, *, keyframe=0, camera="CAM_FRONT", layer="Measured"):
        script = "const t = arguments[0]; t.value = arguments[1]; t.dispatchEvent(new Event('input'))"
        self.browser.execute_script(script, self.one("time"), keyframe)
        self.wait.until(lambda _: self.shown.split("/")[1] == str(keyframe))
        self.click(camera)
        self.wait.until(lambda _: self.shown.split("/")[2] == camera)
        self.click(layer)
        name = {"Ground truth": "truth"}.get(layer, layer.lower())
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


def opened(browser, path):
    """The page, once it shows its first image."""
    from selenium.webdriver.support.wait import WebDriverWait

    browser.get(path.as_uri())
    wait = WebDriverWait(browser, 60, poll_frequency=0.05)
    wait.until(lambda b: b.execute_script("return document.body.dataset.readyMs"))
    return Page(browser, wait)
