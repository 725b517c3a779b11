"""Enforcement point 2, rooms: badges are decided, recorded, and only then is a lock released."""
