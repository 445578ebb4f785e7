"""What trainings have in common: Lightning's trainer, an order of samples that can be resumed, checkpoints."""
