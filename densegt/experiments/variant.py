"""Ways to train that are compared: each is a level of every factor."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, order=True)
class Variant:
    """One of them; what follows from it says by its fields which factors there are."""

    @property
    def factors(self) -> tuple[str, ...]:
        """Names of what may differ."""
        return tuple(field.name for field in fields(self))

    @property
    def name(self) -> str:
        """For folders and tables."""
        return "-".join(self.level(factor) for factor in self.factors)

    def level(self, factor: str) -> str:
        """Its bins, say, or its detector."""
        return str(getattr(self, factor))

    def differs_only_in(self, factor: str, other: Variant) -> bool:
        """All else is equal, and this is not."""
        return [name for name in self.factors if self.level(name) != other.level(name)] == [factor]
