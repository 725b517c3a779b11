"""Tests of the steps of a revocation, on real processes, files and accounts."""
