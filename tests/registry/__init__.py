"""Tests of the registry against a model, damage, crashes and older versions."""
