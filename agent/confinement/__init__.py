"""What each process of the agent may do, and how it gives up the rest: capabilities, a filter of calls, limits.

Rules of this folder: standard library only, and no other part of the agent, because the smallest process stands on it.
"""
