"""Reception: budgets of the control sockets for places, bytes and turns (contract C13)."""
