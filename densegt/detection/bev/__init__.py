"""Lift, splat, and heads in bird's-eye view: Lift-Splat-Shoot."""
