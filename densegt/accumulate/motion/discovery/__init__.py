"""Rigid motion without labels: what other sweeps refute is clustered, followed, and carried in its own frame."""
