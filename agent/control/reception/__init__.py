"""The control socket's budgets: who gets a place, how much is read, whose turn it is (contract C13)."""
