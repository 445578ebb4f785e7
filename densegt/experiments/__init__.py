"""Comparisons: trainings of a detector that differ in depth, bins or samples; completion methods on a recording."""
