"""Checks of ``doctor``: this host without the agent, and the registry and rooms of a running agent."""
