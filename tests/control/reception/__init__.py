"""Tests of the control socket's budgets: places, turns, lookups, and who is told of."""
