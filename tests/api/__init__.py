"""Tests of what clients import: operations, protocol, client, roles, instants."""
