"""Tests of the panel of a room, as laws and scripted days."""
