"""Tests of the whole agent before the real kernel."""
