"""Mutation testing of whatever decides: wrong changes, whether the tests notice, and whether one lets somebody in."""
