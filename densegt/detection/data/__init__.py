"""From a recording and a depth store to batches."""
