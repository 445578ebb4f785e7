"""YAML files with only what differs from the defaults."""
