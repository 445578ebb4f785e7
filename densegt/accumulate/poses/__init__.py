"""The ego path, refined."""
