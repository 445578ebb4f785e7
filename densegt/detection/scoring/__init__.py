"""Scores of detections and depth."""
