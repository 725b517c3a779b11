"""Simulators of the agent's counterparts: readers, boards, an HR sender, a volume in a file."""
