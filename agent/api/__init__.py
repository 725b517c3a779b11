"""What clients may import: the operations, the protocol of the control socket, its client, roles, instants, findings."""
