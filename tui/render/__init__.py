"""From answers of the agent to styled lines: pure functions, no widget."""
