"""Tests of revocation: the plan, the run, the proof."""
