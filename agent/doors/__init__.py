"""Secure rooms: what happens at a door, decided by the same rules as a file, and the wires that lead to it."""
