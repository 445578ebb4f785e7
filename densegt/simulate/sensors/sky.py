"""The sky, and the colour of the air."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.meshes.mesh import rgb
from densegt.simulate.sensors.textures import value_noise
from densegt.simulate.weather import Weather

Float32 = NDArray[np.float32]

_ZENITH = {
    "sun": (0.16, 0.30, 0.62),
    "overcast": (0.62, 0.65, 0.70),
    "dusk": (0.10, 0.13, 0.27),
    "night": (0.004, 0.005, 0.010),
}
_HORIZON = {
    "sun": (0.62, 0.70, 0.80),
    "overcast": (0.80, 0.82, 0.84),
    "dusk": (0.62, 0.36, 0.22),
    "night": (0.020, 0.017, 0.016),
}


def sky(weather: Weather, directions: Float32) -> Float32:
    """Light (N,3) from directions (N,3)."""
    up = directions[:, 2]
    mix: Float32 = np.sqrt(np.clip(up, 0, 1))[:, None]
    out: Float32 = rgb(_HORIZON[weather.light]) * (1 - mix) + rgb(_ZENITH[weather.light]) * mix
    if weather.light != "night":
        out = _with_clouds(weather, directions, out)
    toward: Float32 = directions @ weather.sun.astype(np.float32)
    glow = rgb(weather.sun_colour) * (
        0.25 * np.exp(-((1 - toward) / 0.02))[:, None] + 30.0 * (toward > 0.99996)[:, None]
    )
    return np.asarray(out + glow, dtype=np.float32)


def _with_clouds(weather: Weather, directions: Float32, clear: Float32) -> Float32:
    rng = np.random.default_rng(weather.clouds)
    cover, du, dv = rng.uniform(0.35, 0.75), *rng.uniform(0, 100, 2)
    z = np.maximum(directions[:, 2], 0.03)
    u, v = directions[:, 0] / z + du, directions[:, 1] / z + dv
    shape = (
        0.5 * value_noise(u * 0.6, v * 0.6) + 0.3 * value_noise(u * 1.7, v * 1.7) + 0.2 * value_noise(u * 4.3, v * 4.3)
    )
    thick = np.clip((shape - (1 - cover)) / 0.18, 0, 1)[:, None] * np.clip(directions[:, 2:3] / 0.12, 0, 1)
    white = rgb(_HORIZON[weather.light]) * rgb([1.25, 1.22, 1.2])
    out: Float32 = clear * (1 - 0.8 * thick) + white * 0.8 * thick
    return out


def air_colour(weather: Weather) -> Float32:
    """What distance fades to."""
    return rgb(_HORIZON[weather.light])
