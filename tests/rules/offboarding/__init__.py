"""Tests of the procedure of a departure."""
