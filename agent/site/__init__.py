"""One agent's site on this host: how it is made, and how the agent's processes see it."""
