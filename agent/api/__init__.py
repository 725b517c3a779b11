"""Local API for clients: operations, protocol of the control socket, client, roles, timestamps and findings."""
