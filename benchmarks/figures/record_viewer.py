"""Record a page of `densegt view` as a moving picture: layers, keyframes, a place that is wrong, the cloud that turns.

python -m benchmarks.figures.record_viewer densegt-demo/view.html docs/viewer.gif

Needs Chromium with chromedriver, as the tests of the page do.
"""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from PIL import Image

WIDTH_PX, HEIGHT_PX, SHOWN_PX, COLOURS = 1280, 1080, 720, 96
FLAGS = (
    "headless",
    "no-sandbox",
    "no-first-run",
    "disable-gpu",
    "enable-unsafe-swiftshader",
    "force-color-profile=srgb",
)
# Seconds that a step of the cloud or of time is shown, and a layer.
STEP_S, LAYER_S = 0.25, 1.1


@click.command(help=__doc__)
@click.argument("page", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--layer", "layers", multiple=True, default=("Measured", "Completed", "Uncertainty", "Error"))
@click.option("--turns", default=10, show_default=True, help="Steps in which the cloud turns.")
def main(page: Path, out: Path, layers: tuple[str, ...], turns: int) -> None:
    """Open the page, do what a reader would, and keep what it looks like."""
    browser = opened(page)
    try:
        frames = list(recorded(browser, layers, turns))
    finally:
        browser.quit()
    pictures = [picture.quantize(COLOURS, dither=Image.Dither.NONE) for picture, _ in frames]
    pictures[0].save(
        out, save_all=True, append_images=pictures[1:], duration=[round(1000 * s) for _, s in frames], loop=0,
        optimize=True,
    )  # fmt: skip
    click.echo(f"{out}: {len(frames)} pictures, {out.stat().st_size / 1e6:.1f} MB")


def opened(page: Path) -> Any:
    """A browser with the page, ready."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    for flag in (*FLAGS, f"window-size={WIDTH_PX},{HEIGHT_PX}"):
        options.add_argument(f"--{flag}")
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    browser.get(page.resolve().as_uri())
    while not browser.execute_script("return document.body.dataset.readyMs"):
        time.sleep(0.1)
    return browser


def recorded(browser: Any, layers: tuple[str, ...], turns: int) -> Iterator[tuple[Image.Image, float]]:
    """Pictures, and for how many seconds each is shown."""
    for layer in layers:
        if press(browser, layer):
            yield taken(browser), LAYER_S
    for keyframe in range(int(browser.execute_script("return document.getElementById('time').max")) + 1):
        script = "const t = document.getElementById('time'); t.value = arguments[0]; t.oninput()"
        browser.execute_script(script, keyframe)
        yield taken(browser), 2 * STEP_S
    if browser.execute_script("const b = document.querySelector('#places button'); b?.click(); return !!b"):
        yield taken(browser), LAYER_S
        browser.execute_script("document.getElementById('whole').click()")
        press(browser, layers[0])
    for _ in range(turns if browser.find_element("id", "cloud").is_displayed() else 0):
        drag(browser)
        yield taken(browser), STEP_S


def press(browser: Any, words: str) -> bool:
    """Whether there is a button of these words, which is pressed."""
    found = [b for b in browser.find_elements("css selector", "#layers button") if b.text == words]
    for button in found:
        button.click()
    return bool(found)


def drag(browser: Any) -> None:
    """Turn the cloud a little."""
    from selenium.webdriver import ActionChains

    cloud = browser.find_element("id", "cloud")
    ActionChains(browser).move_to_element(cloud).click_and_hold().move_by_offset(25, 0).release().perform()


def taken(browser: Any) -> Image.Image:
    """What the window shows, smaller."""
    time.sleep(0.6)
    picture = Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")
    return picture.resize((SHOWN_PX, round(SHOWN_PX * picture.height / picture.width)), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
