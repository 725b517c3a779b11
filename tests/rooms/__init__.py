"""Tests of rooms with simulated doors, and who is let in."""
