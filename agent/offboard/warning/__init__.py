"""Warnings to the holder of a right before it ends: on their terminals, and by mail."""
