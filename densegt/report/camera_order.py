"""Order of a rig's cameras on a page."""

from __future__ import annotations

# Words of channel names, from the first row of the page to the last.
_ROWS = (("front",), ("side",), ("back", "rear"))


def camera_order(channel: str) -> tuple[int, int, str]:
    """Sort key: front, side, back, each from left to right; then the channels that name no direction."""
    name = channel.lower()
    row = next((i for i, words in enumerate(_ROWS) if any(word in name for word in words)), len(_ROWS))
    column = 0 if "left" in name else 2 if "right" in name else 1
    return row, column, channel
