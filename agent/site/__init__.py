"""The site of one agent on this host: its creation, and its context for the agent's processes."""
