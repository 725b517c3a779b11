"""The administration terminal: a client of the control API, and nothing else."""
