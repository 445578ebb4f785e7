"""Weather and light of a scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.ranges import Ranges

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Weather:
    """What light and air do.

    Attributes:
        light: "sun", "overcast", "dusk" or "night"; sky: "dry", "wet", "rain" or "fog".
        sun: (3,) unit vector towards the sun in world; sun_colour, ambient: (3,) light on a surface.
        haze_m: distance at which a third of the contrast is left.
        wet: 0..1; puddles: 0..1, how much water stands; drops_per_m: chance that a beam meets a drop in a metre.
        clouds: seed of the sky.
    """

    light: str
    sky: str
    sun: Float64
    sun_colour: Float64
    ambient: Float64
    haze_m: float
    wet: float
    puddles: float
    drops_per_m: float
    clouds: int


_LIGHTS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "sun": ((2.3, 2.15, 1.9), (0.50, 0.58, 0.70)),
    "overcast": ((0.0, 0.0, 0.0), (1.05, 1.08, 1.12)),
    "dusk": ((0.75, 0.42, 0.22), (0.30, 0.33, 0.45)),
    "night": ((0.0, 0.0, 0.0), (0.012, 0.013, 0.020)),
}


def draw_weather(rng: np.random.Generator, ranges: Ranges) -> Weather:
    """Draw light and weather."""
    light, sky = ranges.choose(rng, "light"), ranges.choose(rng, "weather")
    if sky in ("rain", "fog") and light == "sun":
        light = "overcast"
    height = np.deg2rad(ranges.draw(rng, "sun_height_deg") if light != "dusk" else rng.uniform(4, 10))
    way = rng.uniform(0, 2 * np.pi)
    sun, ambient = _LIGHTS[light]
    water = ranges.draw(rng, "puddles")
    haze = {
        "dry": rng.uniform(600, 3000),
        "wet": rng.uniform(500, 1500),
        "rain": rng.uniform(150, 350),
        "fog": rng.uniform(45, 120),
    }
    return Weather(
        light=light,
        sky=sky,
        sun=np.array([np.cos(height) * np.cos(way), np.cos(height) * np.sin(way), np.sin(height)]),
        sun_colour=np.array(sun),
        ambient=np.array(ambient),
        haze_m=float(haze[sky]),
        wet={"dry": 0.0, "wet": float(rng.uniform(0.4, 1.0)), "rain": 1.0, "fog": 0.3}[sky],
        puddles={"dry": water / 3 if rng.random() < 0.3 else 0.0, "wet": water, "rain": water}.get(sky, 0.0),
        drops_per_m={"rain": float(rng.uniform(5e-4, 3e-3)), "fog": float(rng.uniform(1e-3, 5e-3))}.get(sky, 0.0),
        clouds=int(rng.integers(1 << 30)),
    )
