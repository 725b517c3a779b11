"""Tests of the simulated devices themselves."""
