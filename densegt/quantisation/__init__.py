"""Quantisation: a trained detector's convolutions at eight bits, as an ONNX file that runs without torch."""
