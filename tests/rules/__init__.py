"""Tests of the decision: laws, vectors, words."""
