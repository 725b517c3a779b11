"""Enforcement point 2, rooms: a badge read is decided and recorded before a lock is released."""
