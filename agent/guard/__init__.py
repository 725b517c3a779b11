"""Enforcement point 1, directories: the kernel asks, the decider answers, the holder sees to it that somebody does.

Standard library only, and nothing of the control process: the open path must not depend on what is not on it.
"""
