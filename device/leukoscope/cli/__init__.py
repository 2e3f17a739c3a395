"""Every command of `leukoscope`, and nothing else."""
