"""Volumes: what a directory lies on, how it can be guarded there, marking it, and what was seen of that."""
