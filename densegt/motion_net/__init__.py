"""What moves, told point by point by a network from several scans, past and future: a vote beside free space."""
