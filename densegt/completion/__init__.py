"""Completion: from depth with gaps and an image to depth everywhere, with how sure it is."""
