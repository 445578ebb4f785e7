"""One page to look around in: every pixel's metres, and the cloud they come from."""
