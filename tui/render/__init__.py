"""Rendering: pure functions from answers of the agent to styled lines, without widgets."""
