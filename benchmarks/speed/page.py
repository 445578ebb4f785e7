"""How soon a page of `densegt view` shows its first picture, and how fast its cloud turns.

python -m benchmarks.speed.page view.html

Needs Chromium with chromedriver, as the tests of the page do. It has no screen and no graphics card: a program draws in
the card's place. Frames a second are that program's; the time in the page's own code is what a card would wait for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from benchmarks.figures.record_viewer import opened

# Drags the mouse across the cloud, some pixels a frame, for as long as asked; synthetic events cannot be captured.
TURN = """
const [seconds, done] = arguments, canvas = document.getElementById("cloud"), b = canvas.getBoundingClientRect();
canvas.setPointerCapture = canvas.releasePointerCapture = () => {};
const mouse = { bubbles: true, pointerId: 7, pointerType: "mouse", button: 0, buttons: 1 };
const clientY = b.top + b.height / 2;
const send = (name, x) => canvas.dispatchEvent(new PointerEvent(name, { ...mouse, clientX: x, clientY }));
let x = b.left + b.width / 3, frames = 0, own_ms = 0, points = 0;
send("pointerdown", x);
const began = performance.now(), first = Number(canvas.dataset.frames);
requestAnimationFrame(function step() {
  const now = performance.now();
  if (now - began > 1000 * seconds) {
    send("pointerup", x);
    return done({ frames: Number(canvas.dataset.frames) - first, seconds: (now - began) / 1000,
      own_ms: own_ms / Math.max(frames, 1), points: Math.round(points / Math.max(frames, 1)) });
  }
  send("pointermove", (x += 4));
  own_ms += performance.now() - now + Number(canvas.dataset.renderMs);
  points += Number(canvas.dataset.drawnPoints);
  frames += 1;
  requestAnimationFrame(step);
});
"""


@click.command(help=__doc__)
@click.argument("page", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--times", default=3, show_default=True, help="The page is opened so often; the median is told.")
@click.option("--seconds", default=5.0, show_default=True, help="The cloud is turned for so long.")
def main(page: Path, times: int, seconds: float) -> None:
    """Open, measure, tell."""
    for k in range(times):
        browser = opened(page)
        try:
            click.echo(f"opened {k + 1}: {first_picture(browser)}")
            if k + 1 == times:
                click.echo(turning(browser, seconds))
        finally:
            browser.quit()


def first_picture(browser: Any) -> str:
    """Milliseconds from the request to the first image with its layer, and to the cloud."""
    data = browser.execute_script("return {...document.body.dataset}")
    keyframes = int(browser.execute_script("return document.getElementById('time').max")) + 1
    return f"first picture {data['pictureMs']} ms, all with the cloud {data['readyMs']} ms; {keyframes} keyframes"


def turning(browser: Any, seconds: float) -> str:
    """Frames a second, points drawn, who draws."""
    browser.set_script_timeout(seconds + 60)
    turned = browser.execute_async_script(TURN, seconds)
    drawn_by = browser.execute_script(
        "const gl = document.createElement('canvas').getContext('webgl'),"
        "who = gl.getExtension('WEBGL_debug_renderer_info');"
        "return gl.getParameter(who ? who.UNMASKED_RENDERER_WEBGL : gl.RENDERER)"
    )
    rate = turned["frames"] / turned["seconds"]
    own = f"{turned['own_ms']:.2f} ms a frame in the page's own code"
    points = f"{turned['points']} points on average"
    return f"turning: {rate:.1f} frames a second of {points}, {own}; drawn by {drawn_by}"


if __name__ == "__main__":
    main()
