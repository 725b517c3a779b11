"""Tests of the parts of the decider and the holder."""
