"""Recordings: the types every stage takes, and the readers that fill them."""
