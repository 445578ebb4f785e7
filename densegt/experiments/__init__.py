"""What depth, which bins and which samples are worth to a detector: trainings that differ in one of them, compared."""
