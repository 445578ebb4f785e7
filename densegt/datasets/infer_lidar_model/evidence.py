"""What is known of how a lidar turns, from what, and how surely."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from densegt.datasets.lidar_model import LidarModel

# Of the model's numbers: a given one that differs by less from the data's is not contradicted.
_PERIOD_SHARE, _SCAN_START_RAD, _STAMP_SHARE = 0.05, float(np.deg2rad(25)), 0.15


class Sureness(IntEnum):
    """How far a value can be relied on."""

    ASSUMED = 0
    LIKELY = 1
    SURE = 2


@dataclass(frozen=True)
class Finding:
    """Where one of a lidar model's values comes from.

    Attributes:
        source: in a few words; why it cannot be told, where it is assumed.
    """

    source: str
    sureness: Sureness


@dataclass(frozen=True)
class LidarModelEvidence:
    """A lidar's model as the data show it.

    Attributes:
        model: what the data say, by convention where they say nothing.
        direction, period, scan_start, stamp, compensated: of each of its values.
        given: the model that somebody gave, which then holds whatever the data say.
    """

    channel: str
    model: LidarModel
    direction: Finding
    period: Finding
    scan_start: Finding
    stamp: Finding
    compensated: Finding
    given: LidarModel | None = None

    @property
    def used(self) -> LidarModel:
        """The model to work with."""
        return self.given or self.model

    @property
    def findings(self) -> dict[str, tuple[str, Finding]]:
        """By name: the value in words, and where it comes from."""
        words = _words(self.model)
        return {name: (words[name], getattr(self, name)) for name in words}

    def line(self) -> str:
        """All in one line."""
        if self.given is not None:
            return f"{self.channel}: lidar model as given: " + ", ".join(_words(self.given).values())
        told = ", ".join(f"{word} ({f.source})" for word, f in self.findings.values() if f.sureness > Sureness.ASSUMED)
        return f"{self.channel}: {told or 'nothing told by the data'}"

    def warnings(self) -> list[str]:
        """What cannot be told and is asked for, or what the data contradict; one line each."""
        if self.given is not None:
            against = [f"{word} ({finding.source})" for word, finding in self._contradictions()]
            return [f"{self.channel}: the lidar model given is contradicted: {', '.join(against)}"] if against else []
        assumed = [f"{word} ({f.source})" for word, f in self.findings.values() if f.sureness == Sureness.ASSUMED]
        ask = "set lidar: model: in --config where that is wrong"
        return [f"{self.channel}: cannot be told, assumed: {', '.join(assumed)}; {ask}"] if assumed else []

    def _contradictions(self) -> list[tuple[str, Finding]]:
        given, told = self.given or self.model, self.model
        turned = abs((given.scan_start_azimuth_rad - told.scan_start_azimuth_rad + np.pi) % (2 * np.pi) - np.pi)
        differs = {
            "direction": given.clockwise != told.clockwise,
            "period": abs(given.period_s / told.period_s - 1) > _PERIOD_SHARE,
            "scan_start": turned > _SCAN_START_RAD,
            "stamp": abs(given.stamp_fraction - told.stamp_fraction) > _STAMP_SHARE,
            "compensated": given.compensated != told.compensated,
        }
        return [told for name, told in self.findings.items() if differs[name] and told[1].sureness == Sureness.SURE]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        used = self.used
        return {
            "clockwise": used.clockwise,
            "period_s": round(used.period_s, 6),
            "scan_start_azimuth_deg": round(float(np.rad2deg(used.scan_start_azimuth_rad)), 2),
            "stamp_fraction": round(used.stamp_fraction, 4),
            "compensated": used.compensated,
            "given": self.given is not None,
            "evidence": {
                name: {"value": word, "source": f.source, "sureness": f.sureness.name.lower()}
                for name, (word, f) in self.findings.items()
            },
        }


def _words(model: LidarModel) -> dict[str, str]:
    return {
        "direction": "clockwise" if model.clockwise else "counter-clockwise",
        "period": f"{1e3 * model.period_s:.4g} ms a turn",
        "scan_start": f"begins at {np.rad2deg(model.scan_start_azimuth_rad):.0f} deg",
        "stamp": f"stamp at {100 * model.stamp_fraction:.0f} % of the turn",
        "compensated": "compensated" if model.compensated else "not compensated",
    }
