"""Sanity figures of a recording: mistakes of calibration, frames, units and clocks that no table shows by itself."""
