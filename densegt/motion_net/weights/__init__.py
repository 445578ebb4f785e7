"""Weights that ship: `motion.safetensors`, and `motion.json` on how they were made."""
