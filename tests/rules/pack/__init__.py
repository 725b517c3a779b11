"""Tests of rule packs, right and wrong."""
