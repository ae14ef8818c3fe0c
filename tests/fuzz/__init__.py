"""Real worker processes, killed and frozen for real: at every named step, and at random."""
