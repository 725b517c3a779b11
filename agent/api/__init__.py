"""What clients may import: operations, the protocol of the control socket, its client, roles, instants, findings."""
