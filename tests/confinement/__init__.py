"""Tests of what the agent's processes may do: the units, the filters, and what is left to each process."""
