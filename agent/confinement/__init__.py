"""Confinement of the agent's processes: what each may do, and how it gives up the rest: capabilities, seccomp filters,
limits.

Rules of this folder: standard library only, and no other part of the agent, because the smallest process depends on it.
"""
