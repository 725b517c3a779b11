"""Canaries: attempts by nobody, to see that the guard refuses, and what was seen of that (contract C11)."""
