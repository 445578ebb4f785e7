"""Sky at dusk and at night is what has the colour of what beams went through; a bright one needs no such rule."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.completion.classical import SKY_BRIGHTNESS, SKY_MAX_YELLOW, Classical
from densegt.completion.sky_colour import is_day, sky_coloured, sky_samples
from densegt.kernels.open_sky import MAX_BLUE

from .scenes import given

HEIGHT_PX, WIDTH_PX, HORIZON, TOP = 120, 200, 70, 15
DUSK, NIGHT, DAY = (225, 180, 150), (85, 80, 90), (170, 185, 215)


def street_under(sky, *, rise=0.0, seed=0):
    """(image, depth): ground, a house at the right that the beams do not see the top of, sky of a colour that changes
    by `rise` a row."""
    v, u = np.mgrid[:HEIGHT_PX, :WIDTH_PX]
    depth = np.where(v > HORIZON, 200 / np.maximum(v - HORIZON, 1), 0.0)
    image = np.where((v > HORIZON)[..., None], [30, 32, 28], np.array(sky) + rise * (v - HORIZON)[..., None])
    house = (u > 130) & (v < 100)
    depth[house], image[house] = 12.0, [150, 60, 20]
    image = image + np.random.default_rng(seed).normal(0, 2, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), depth.astype(np.float32)


def seen(image, depth):
    """As beams in every sixth row see it, from row TOP down."""
    kept = np.zeros(depth.shape, bool)
    kept[TOP::6, ::2] = True
    return given(image, np.where(kept, depth, 0).astype(np.float32))


@pytest.mark.parametrize(("sky", "rise"), [(DUSK, 0.0), (NIGHT, 0.0), (DUSK, 0.4), (NIGHT, -0.2)])
def test_a_dark_or_yellow_sky_stays_empty(sky, rise):
    """But for a margin beside what is measured, and no part of the house is lost, above the beams neither."""
    image, depth = street_under(sky, rise=rise)
    done = Classical()(seen(image, depth)).depth_m
    nothing = depth == 0
    assert (done[nothing] == 0).mean() > 0.6
    assert (done[:40, :90] == 0).all()
    assert (done[~nothing] > 0).mean() > 0.999


def test_a_bright_sky_is_told_as_before(monkeypatch):
    """Its samples are of a bright colour, and nobody asks further."""
    import densegt.completion.classical as module

    monkeypatch.setattr(module, "sky_coloured", lambda *_: pytest.fail("asked"))
    image, depth = street_under(DAY)
    done = Classical()(seen(image, depth)).depth_m
    assert (done[depth == 0] == 0).mean() > 0.6


def test_where_every_column_is_as_high_nothing_is_told():
    image, depth = street_under(NIGHT)
    depth[depth == 0] = 50
    assert sky_samples(image, seen(image, depth).depth_m.T > 0) is None


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (1, 1), (3, 40), (40, 2)])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_tiny_and_empty_images(shape, share):
    known = np.random.default_rng(0).random(shape) < share
    samples = sky_samples(np.zeros((*shape, 3), np.uint8), known.T)
    assert samples is None or len(samples[0]) >= 30


def test_samples_lie_above_what_is_measured_and_below_the_beams():
    image, depth = street_under(NIGHT)
    rows, colours = sky_samples(image, seen(image, depth).depth_m.T > 0)
    assert rows.min() > TOP
    assert rows.max() < HORIZON
    assert np.abs(colours - NIGHT).max() < 12


def test_many_colours_are_none():
    rng = np.random.default_rng(0)
    rows = rng.uniform(0, 50, 300).astype(np.float32)
    colours = rng.uniform(0, 255, (300, 3)).astype(np.float32)
    assert sky_coloured(np.zeros((60, 20, 3), np.uint8), np.eye(60, 20, dtype=bool), rows, colours) is None


def test_a_few_roofs_among_the_samples_do_not_matter():
    rng = np.random.default_rng(0)
    rows = rng.uniform(0, 50, 300).astype(np.float32)
    colours = (np.array([80, 70, 90]) + 0.5 * rows[:, None] + rng.normal(0, 2, (300, 3))).astype(np.float32)
    colours[:90] = [20, 25, 15]
    image = np.zeros((60, 2, 3), np.uint8)
    image[:, 0] = np.array([80, 70, 90]) + 0.5 * np.arange(60)[:, None]
    image[:, 1] = [20, 25, 15]
    known = np.zeros((60, 2), bool)
    known[50:, 1] = True
    found = sky_coloured(image, known, rows, colours)
    assert found[:, 0].all()
    assert not found[:, 1].any()
    # A wall that gives no return has the colour of the wall beside it, which does.
    known[:, 0] = True
    assert sky_coloured(image, known, rows, colours) is None


@pytest.mark.parametrize(("colour", "day"), [(DAY, True), (DUSK, False), (NIGHT, False), ((220, 222, 221), True)])
def test_a_bright_sky_is_the_kernels(colour, day):
    assert is_day(np.array(colour, np.float32), SKY_BRIGHTNESS, SKY_MAX_YELLOW, MAX_BLUE) == day
