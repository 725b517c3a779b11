"""The administration terminal: talks to the control API and reads the log index, nothing else."""
