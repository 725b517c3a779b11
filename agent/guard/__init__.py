"""Enforcement point 1, directories: the kernel asks the decider before each open, and the holder guarantees an answer.

Standard library only, and nothing of the control process: the open path depends on no other process.
"""
