"""What ``doctor`` looks at: this host without the agent, and the registry and rooms of a running one."""
