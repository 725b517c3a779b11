"""Tests of the log: appended, cut, verified, indexed, searched."""
